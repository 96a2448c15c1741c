import { parameterDecorator, type CheckedParam, type Key } from '@thereafter/di';
import type { TObject, TSchema } from 'typebox';
import {
  body,
  header,
  path,
  query,
  type SchemaSource,
  type SchemaValue,
} from '../handler/inputs.ts';

// The inputs as decorators: the same sources, under the same names in capitals.

/** The request's body, as JSON. */
export function Body<S extends TSchema>(schema: S): CheckedParam<SchemaValue<S>> {
  return decorator(body(schema));
}

/** The whole query string, as an object; or the values of one key. */
export function Query<S extends TObject>(schema: S): CheckedParam<SchemaValue<S>>;
export function Query<S extends TSchema>(name: string, schema: S): CheckedParam<SchemaValue<S>>;
export function Query(...args: [TObject] | [string, TSchema]): CheckedParam<unknown> {
  return decorator(args.length === 1 ? query(args[0]) : query(args[0], args[1]));
}

/** A path parameter, percent-decoded. */
export function Path<S extends TSchema>(name: string, schema: S): CheckedParam<SchemaValue<S>> {
  return decorator(path(name, schema));
}

/** A request header. Names are not case-sensitive. */
export function Header<S extends TSchema>(name: string, schema: S): CheckedParam<SchemaValue<S>> {
  return decorator(header(name, schema));
}

function decorator<V>(source: SchemaSource<TSchema>): CheckedParam<V> {
  return parameterDecorator(source as unknown as Key); // an HttpInput, which is a key
}
