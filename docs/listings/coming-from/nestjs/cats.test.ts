import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Controller, createApp, Get, Injectable } from 'thereafter';
import { testApp } from 'thereafter/testing';

@Injectable()
class CatsService {
  findAll(): string[] {
    throw new Error('There is no database here.');
  }
}

@Controller('/cats')
class CatsController {
  constructor(private readonly cats: CatsService) {}

  @Get('/')
  findAll() {
    return this.cats.findAll();
  }
}

test('lists the cats', async () => {
  await using t = await testApp(createApp({ logger: false }).include(CatsController))
    .override(CatsService, { findAll: () => ['Tom'] })
    .start();
  assert.deepEqual(await (await t.get('/cats')).json(), ['Tom']);
});
