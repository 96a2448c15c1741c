import { app } from './openapi.ts';

console.log(JSON.stringify(app.openapi(), null, 2));
