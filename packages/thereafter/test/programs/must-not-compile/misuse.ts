// Each marked line must fail to compile, with an error that names both types.
import { BackgroundTasks, Body, Controller, dependency, Depends, Get, Inject, Injectable, Path, Post, Task, token } from 'thereafter';
import { Type } from 'typebox';
import { NewUser, User } from '../schemas.js';
import { SendWelcome } from '../task.js';
const Clock = token<{ now(): Date }>('Clock');
const currentUser = dependency({}, (): User => ({ id: 1, name: 'root', email: 'root@x.io' }));
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
