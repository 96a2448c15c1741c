import 'reflect-metadata';
import { Injectable, Module, Scope } from '@nestjs/common';
import { ContextIdFactory, NestFactory } from '@nestjs/core';
import { contest } from './contest.ts';
import { emitTypes, S20, S5, services } from './services.ts';

emitTypes(services);
for (const [target] of services) Injectable({ scope: Scope.REQUEST })(target);

class ServicesModule {}
Module({ providers: services.map(([target]) => target) })(ServicesModule);

const app = await NestFactory.createApplicationContext(ServicesModule, { logger: false });

contest({
  five: () => app.resolve(S5, ContextIdFactory.create()),
  twenty: () => app.resolve(S20, ContextIdFactory.create()),
  startMany: async (many) => {
    emitTypes(many);
    for (const [target] of many) Injectable()(target);
    class ManyModule {}
    Module({ providers: many.map(([target]) => target) })(ManyModule);
    await NestFactory.createApplicationContext(ManyModule, { logger: false });
  },
});
