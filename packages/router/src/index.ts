export { createRouter, type Match, type Method, type Miss, type Router } from './router.ts';
