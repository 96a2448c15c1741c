import { BackgroundTasks, Body, Controller, Post } from 'thereafter';
import { Type, type Static } from 'typebox';

const Signup = Type.Object({ email: Type.String() });
type Signup = Static<typeof Signup>;

export const sent: string[] = [];

async function sendWelcome(email: string, language: string): Promise<void> {
  sent.push(`${email} in ${language}`); // a mail server would take its time here
}

@Controller('/signup')
export class SignupController {
  @Post('/')
  signup(@Body(Signup) { email }: Signup, tasks: BackgroundTasks) {
    tasks.add(sendWelcome, email, 'en'); // the function and its arguments: not a call
    return { message: 'Welcome!' };
  }
}
