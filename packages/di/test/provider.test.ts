import {
  createContainer,
  Inject,
  Injectable,
  InvalidContainerError,
  methodNeeds,
  token,
  type Class,
} from '../src/index.ts';
import { describe, expect, it } from 'vitest';

/** What is wrong with a class, as start() says it. */
async function faultOf(target: Class): Promise<{ code: string; message: string } | undefined> {
  await using container = createContainer();
  try {
    await container.start(target);
  } catch (error) {
    return (error as InvalidContainerError).errors[0];
  }
  return undefined;
}

interface Shape {
  area(): number;
}
const Size = token<number>('Size');

@Injectable()
class Dep {}

describe('a constructor', () => {
  it('is injected by the types of its parameters, optional and abstract ones included', async () => {
    abstract class Port {}
    @Injectable()
    class Adapter extends Port {}
    @Injectable()
    class Service {
      constructor(
        readonly port: Port,
        readonly dep?: Dep,
      ) {}
    }
    await using container = createContainer().provide(Port, { class: Adapter });
    await container.start(Service);
    expect(container.get(Service).port).toBeInstanceOf(Adapter);
    expect(container.get(Service).dep).toBe(container.get(Dep));
  });

  it('takes up to any number of parameters', async () => {
    @Injectable()
    class Many {
      readonly all: readonly unknown[];
      constructor(a: Dep, b: Dep, c: Dep, d: Dep, e: Dep) {
        this.all = [a, b, c, d, e];
      }
    }
    await using container = createContainer();
    await container.start(Many);
    expect(container.get(Many).all).toEqual(Array(5).fill(container.get(Dep)));
  });

  it('that a decorated class inherits is that of its parent', async () => {
    @Injectable()
    class Parent {
      constructor(readonly dep: Dep) {}
    }
    @Injectable()
    class Child extends Parent {}
    await using container = createContainer();
    await container.start(Child);
    expect(container.get(Child).dep).toBeInstanceOf(Dep);
  });

  it('of its own that takes nothing is called with nothing', async () => {
    @Injectable()
    class Parent {
      constructor(readonly dep: Dep | null) {}
    }
    @Injectable()
    class Child extends Parent {
      constructor() {
        super(null);
      }
    }
    await using container = createContainer();
    await container.start(Child);
    expect(container.get(Child).dep).toBeNull();
  });
});

describe('a class that is not decorated', () => {
  class Plain {
    constructor(readonly dep: Dep) {}
  }

  it('is TA102', async () => {
    expect(await faultOf(Plain)).toMatchObject({
      code: 'TA102',
      message: expect.stringContaining('Add @Injectable() to Plain'),
    });
  });

  it('is TA102 as a subclass of one that is: metadata is not inherited', async () => {
    @Injectable()
    class Parent {}
    class Child extends Parent {}
    expect(await faultOf(Child)).toMatchObject({ code: 'TA102' });
  });

  it('is TA102 as the parent whose constructor a decorated class inherits', async () => {
    @Injectable()
    class Child extends Plain {}
    expect(await faultOf(Child)).toMatchObject({
      code: 'TA102',
      message: expect.stringContaining('Plain is not decorated'),
    });
  });
});

describe('a type that does not exist at run time', () => {
  it('is TA103 for an interface, a union with null and unknown', async () => {
    @Injectable()
    class WithInterface {
      constructor(readonly shape: Shape) {}
    }
    @Injectable()
    class WithNull {
      constructor(readonly dep: Dep | null) {}
    }
    @Injectable()
    class WithUnknown {
      constructor(readonly thing: unknown) {}
    }
    expect(await faultOf(WithInterface)).toMatchObject({
      code: 'TA103',
      message: expect.stringContaining('the type of shape of WithInterface does not exist'),
    });
    expect((await faultOf(WithNull))?.message).toContain('write `x?: X` instead of `X | null`');
    expect((await faultOf(WithUnknown))?.code).toBe('TA103');
  });

  it('is TA103 for an enum, which some compilers emit as an object', async () => {
    enum Colour {
      Red = 'red',
    }
    @Injectable()
    class Painter {
      constructor(readonly colour: Colour) {}
    }
    expect((await faultOf(Painter))?.code).toMatch(/^TA10[34]$/); // tsc says String
  });

  it('is fine where a decorator says what is meant', async () => {
    @Injectable()
    class Square {
      constructor(@Inject(Size) readonly size: number) {}
    }
    await using container = createContainer().provide(Size, { value: 3 });
    await container.start(Square);
    expect(container.get(Square).size).toBe(3);
  });
});

describe('a value type', () => {
  it.for([
    ['String', String],
    ['Number', Number],
    ['Boolean', Boolean],
    ['Array', Array],
    ['Promise', Promise],
  ] as const)('%s is TA104', async ([name, type]) => {
    class Holder {
      constructor(readonly value: unknown) {}
    }
    Reflect.defineMetadata('design:paramtypes', [type], Holder); // what the compiler would emit
    Injectable()(Holder);
    expect(await faultOf(Holder)).toMatchObject({
      code: 'TA104',
      message: expect.stringContaining(
        `value of Holder is a ${name}, which no container can choose`,
      ),
    });
  });
});

describe('a class that is built into JavaScript', () => {
  it('is TA104, by name', async () => {
    @Injectable()
    class Reminder {
      constructor(readonly at: Date) {}
    }
    const fault = await faultOf(Reminder);
    expect(fault?.code).toBe('TA104');
    expect(fault?.message).toContain('Date is built into JavaScript');
    expect(fault?.message).toContain('(Reminder → at: Date)');
  });
});

describe('a compiler without metadata', () => {
  class Bare {
    constructor(
      readonly mailer: Dep,
      readonly clock: Dep,
    ) {}
  }
  Injectable()(Bare); // not with @, so that no metadata is emitted

  it('is TA101, with class, parameters and what to do', async () => {
    const fault = await faultOf(Bare);
    expect(fault?.code).toBe('TA101');
    expect(fault?.message).toContain('the parameters of Bare(mailer, clock)');
    expect(fault?.message).toContain('node --import @thereafter/cli/register');
    expect(fault?.message).toContain('inject()');
  });

  it('is TA101 for the parameters that no decorator describes', async () => {
    class Half {
      constructor(
        readonly size: number,
        readonly clock: Dep,
      ) {}
    }
    Injectable()(Half);
    Inject(Size)(Half, undefined, 0 as never); // typed for use with @
    expect(await faultOf(Half)).toMatchObject({ code: 'TA101' });
  });

  it('does not matter when decorators describe every parameter', async () => {
    class Full {
      constructor(readonly size: number) {}
    }
    Injectable()(Full);
    Inject(Size)(Full, undefined, 0 as never);
    await using container = createContainer().provide(Size, { value: 4 });
    await container.start(Full);
    expect(container.get(Full).size).toBe(4);
  });

  it('is TA105 where only the class of one parameter is missing', async () => {
    class Early {
      constructor(readonly later: Dep) {}
    }
    Injectable()(Early);
    Reflect.defineMetadata('design:paramtypes', [undefined], Early);
    expect(await faultOf(Early)).toMatchObject({
      code: 'TA105',
      message: expect.stringContaining('the class of later of Early is not defined yet'),
    });
  });
});

describe('methodNeeds', () => {
  it('asks for what a method is decorated with, inherited or not', () => {
    class Base {
      act(_size: number, _dep: Dep) {}
    }
    Inject(Size)(Base.prototype, 'act', 0 as never);
    Reflect.defineMetadata('design:paramtypes', [Number, Dep], Base.prototype, 'act');
    class Derived extends Base {}
    expect(methodNeeds(Derived, 'act').map(({ label, key }) => [label, key])).toEqual([
      ['_size', Size],
      ['_dep', Dep],
    ]);
  });

  it('asks for nothing where a method takes nothing', () => {
    class Quiet {
      act() {}
    }
    expect(methodNeeds(Quiet, 'act')).toEqual([]);
    expect(methodNeeds(Quiet, 'missing')).toEqual([]);
  });
});
