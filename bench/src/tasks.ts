import type { Group } from './report.ts';
export const tasks: Group = () => Promise.reject(new Error('soon'));
