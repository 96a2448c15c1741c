import { Controller, createApp, dependency, Depends, Post, Query } from 'thereafter';
import { Type } from 'typebox';

interface Transaction {
  write(text: string): void;
}

const transaction = dependency(
  {},
  async function* (): AsyncGenerator<Transaction, void> {
    console.log('begin');
    try {
      yield { write: (text) => console.log(`write ${text}`) };
      console.log('commit');
    } catch (error) {
      console.log('roll back');
      throw error;
    }
  },
  { scope: 'handler' }, // closed when the handler has returned, before the response
);

@Controller('/notes')
class NotesController {
  @Post('/')
  create(@Query('text', Type.String()) text: string, @Depends(transaction) tx: Transaction) {
    tx.write(text);
    if (text === 'bad') throw new Error('out of ink');
    return { saved: text };
  }
}

await createApp().include(NotesController).run();
