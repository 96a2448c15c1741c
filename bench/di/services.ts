// Twenty classes that need one another, without any library: `S5` needs all of the first five, `S20`
// all of them. Parameter names are the names of the classes, because awilix reads those.

export class S1 {
  readonly value = 1;
}

export class S2 {
  constructor(readonly s1: S1) {}
}

export class S3 {
  constructor(
    readonly s1: S1,
    readonly s2: S2,
  ) {}
}

export class S4 {
  constructor(
    readonly s2: S2,
    readonly s3: S3,
  ) {}
}

export class S5 {
  constructor(
    readonly s3: S3,
    readonly s4: S4,
  ) {}
}

export class S6 {
  constructor(
    readonly s3: S3,
    readonly s4: S4,
    readonly s5: S5,
  ) {}
}

export class S7 {
  constructor(
    readonly s5: S5,
    readonly s6: S6,
  ) {}
}

export class S8 {
  constructor(
    readonly s6: S6,
    readonly s7: S7,
  ) {}
}

export class S9 {
  constructor(
    readonly s6: S6,
    readonly s7: S7,
    readonly s8: S8,
  ) {}
}

export class S10 {
  constructor(
    readonly s8: S8,
    readonly s9: S9,
  ) {}
}

export class S11 {
  constructor(
    readonly s9: S9,
    readonly s10: S10,
  ) {}
}

export class S12 {
  constructor(
    readonly s9: S9,
    readonly s10: S10,
    readonly s11: S11,
  ) {}
}

export class S13 {
  constructor(
    readonly s11: S11,
    readonly s12: S12,
  ) {}
}

export class S14 {
  constructor(
    readonly s12: S12,
    readonly s13: S13,
  ) {}
}

export class S15 {
  constructor(
    readonly s12: S12,
    readonly s13: S13,
    readonly s14: S14,
  ) {}
}

export class S16 {
  constructor(
    readonly s14: S14,
    readonly s15: S15,
  ) {}
}

export class S17 {
  constructor(
    readonly s15: S15,
    readonly s16: S16,
  ) {}
}

export class S18 {
  constructor(
    readonly s15: S15,
    readonly s16: S16,
    readonly s17: S17,
  ) {}
}

export class S19 {
  constructor(
    readonly s17: S17,
    readonly s18: S18,
  ) {}
}

export class S20 {
  constructor(
    readonly s18: S18,
    readonly s19: S19,
  ) {}
}

// oxlint-disable-next-line typescript/no-explicit-any -- any constructor, as the libraries declare it
type ServiceClass = new (...args: any[]) => object;

/** A class and what its constructor wants. */
export type Service = readonly [target: ServiceClass, needs: readonly ServiceClass[]];

/** In an order in which each comes after what it needs. */
export const services: readonly Service[] = [
  [S1, []],
  [S2, [S1]],
  [S3, [S1, S2]],
  [S4, [S2, S3]],
  [S5, [S3, S4]],
  [S6, [S3, S4, S5]],
  [S7, [S5, S6]],
  [S8, [S6, S7]],
  [S9, [S6, S7, S8]],
  [S10, [S8, S9]],
  [S11, [S9, S10]],
  [S12, [S9, S10, S11]],
  [S13, [S11, S12]],
  [S14, [S12, S13]],
  [S15, [S12, S13, S14]],
  [S16, [S14, S15]],
  [S17, [S15, S16]],
  [S18, [S15, S16, S17]],
  [S19, [S17, S18]],
  [S20, [S18, S19]],
];

/** `count` more classes, each of which needs up to three that came before it. */
export function manyServices(count: number): Service[] {
  const made: Service[] = [];
  for (let i = 0; i < count; i++) {
    const needs = [i - 1, i - 7, i - 31].filter((at) => at >= 0).map((at) => made[at]![0]);
    const target = manyService(`Service${i}`, needs.length);
    made.push([target, needs]);
  }
  return made;
}

function manyService(name: string, parameters: number): ServiceClass {
  class Many {
    readonly needs: readonly unknown[];

    constructor(...needs: unknown[]) {
      this.needs = needs;
    }
  }
  Object.defineProperty(Many, 'name', { value: name });
  Object.defineProperty(Many, 'length', { value: parameters });
  return Many;
}

/** What a library can do; each is one file of this folder. */
export interface Contestant {
  /** Opens a scope and makes `S5` in it, with the four below it. */
  readonly five: () => unknown;
  /** The same with `S20` and the nineteen below it. */
  readonly twenty: () => unknown;
  /** Registers and builds singletons. */
  readonly startMany: (services: readonly Service[]) => unknown;
}

/** Writes what the compiler emits for a decorated class. */
export function emitTypes(all: readonly Service[]): void {
  for (const [target, needs] of all) Reflect.defineMetadata('design:paramtypes', needs, target);
}
