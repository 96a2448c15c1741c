/** What fixtures/metadata/main.ts prints, however it was compiled. */
export const expectedMetadata = {
  class: 'Notes',
  constructor: ['Mailer', 'Clock'],
  send: ['String', 'Clock'],
  sendReturns: 'Promise',
};
