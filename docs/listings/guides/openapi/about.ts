import { createApp } from 'thereafter';

export const app =
  // #region about
  createApp({
    openapi: {
      servers: [{ url: '.' }, { url: 'https://api.example.com/v1', description: 'Production' }],
      license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
      contact: { name: 'The team', email: 'api@example.com' },
      termsOfService: 'https://example.com/terms',
    },
  });
// #endregion
