import { Context, Controller, createApp, Get, Injectable } from 'thereafter';

@Injectable({ scope: 'request' })
class Tenant {
  readonly name: string;

  constructor(ctx: Context) {
    this.name = ctx.url.searchParams.get('tenant') ?? 'nobody';
  }
}

@Controller('/tenant')
class TenantController {
  @Get('/')
  show(tenant: Tenant) {
    return { tenant: tenant.name };
  }
}

await createApp().include(TenantController).run();
