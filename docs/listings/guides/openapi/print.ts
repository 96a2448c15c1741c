import { app } from './app.ts';

console.log(JSON.stringify(app.openapi(), null, 2));
