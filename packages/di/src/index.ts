export { createContainer, type Container, type PlanOptions } from './container.ts';
export {
  Depends,
  Inject,
  Injectable,
  parameterDecorator,
  refuseStandardDecorator,
  type CheckedParam,
  type InjectableOptions,
} from './decorators.ts';
export {
  ArgumentError,
  InjectionError,
  InvalidContainerError,
  ResolutionError,
  SeveralFailedError,
  ThereafterError,
  type InjectionCode,
  type ResolutionCode,
} from './errors.ts';
export { inject } from './inject.ts';
export { injectableLifetime, markInjectable } from './metadata.ts';
export type { Lifetime } from './lifetime.ts';
export type { Plan } from './plan.ts';
export {
  dependency,
  methodNeeds,
  type Dependency,
  type DependencyOptions,
  type Need,
  type Provision,
} from './provider.ts';
export type { Scope } from './scope.ts';
export type { Failure } from './teardown.ts';
export {
  INVALID,
  lazy,
  nameOf,
  token,
  type Class,
  type ExternalSource,
  type Gives,
  type Inputs,
  type Key,
  type Lazy,
  type ScopeKind,
  type Source,
  type Token,
  type TokenOptions,
  type Values,
} from './token.ts';
