import { Controller, createApp, Get, Inject, Injectable, token } from 'thereafter';

interface Mailer {
  send(to: string): void;
}
const Mailer = token<Mailer>('Mailer');

@Injectable()
class Invitations {
  constructor(@Inject(Mailer) readonly mailer: Mailer) {}
}

@Controller('/invitations')
class InvitationsController {
  constructor(private readonly invitations: Invitations) {}

  @Get('/')
  invite() {
    this.invitations.mailer.send('ada@example.com');
  }
}

await createApp().include(InvitationsController).run();
