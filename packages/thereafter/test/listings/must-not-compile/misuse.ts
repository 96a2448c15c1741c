// Each marked line must fail to compile, with an error that names both types.
import { BackgroundTasks, Body, Controller, Depends, Get, Inject, Injectable, Path, Post, Task } from 'thereafter';
import { Type } from 'typebox';
import { NewUser, User } from '../schemas.js';
import { currentUser } from '../l03-deps.js';
import { SendWelcome } from '../l07-task.js';
import { Clock } from '../l04-scopes.js';
@Injectable() export class N0 { constructor(@Inject(Clock) c: { tick(): void }) {} }
@Controller() export class N {
  // @ts-expect-error wrong body type
  @Post('/1') a(@Body(NewUser) b: { zip: string }) {}
  @Post('/2') b(@Path('id', Type.Integer()) id: string) {}
  @Get('/3') c(@Depends(currentUser) u: { nope: 1 }) {}
  @Get('/4', { response: User }) d() { return { id: 'x' }; }
  @Get('/5', { response: User }) async e() { return { id: 1, name: 'n' }; }
  f(t: BackgroundTasks) { t.add(SendWelcome, { userId: 'x' }); }
}
@Task(Type.Object({ a: Type.Integer() })) export class BadTask { run(p: { a: string }) {} }
