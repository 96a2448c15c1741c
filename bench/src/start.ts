import type { Group } from './report.ts';
export const start: Group = () => Promise.reject(new Error('soon'));
