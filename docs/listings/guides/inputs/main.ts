import { inputs } from './app.ts';

await inputs().run();
