import { INVALID, ThereafterError, token, type Token } from '@thereafter/di';
import type { Static, TObject } from 'typebox';
import { compileCheck, type Findings } from './handler/check.ts';
import { compileNamed } from './handler/parameter.ts';

/** Environment variables are missing or not what the schema says. */
class ConfigError extends ThereafterError {
  readonly code = 'CONFIG_INVALID';
  /** What is wrong, a sentence for each variable; values are left out, since they may be secret. */
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`The environment is not complete:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.faults = faults;
  }
}

/**
 * A token for settings that come from environment variables of the names in the schema. When the app
 * starts and something asks for them, they are read once, turned into the types of the schema as
 * strictly as query parameters, and checked; `default` in the schema fills what is not set.
 *
 * Starting then fails with a `ConfigError` (`CONFIG_INVALID`) that names every variable at fault.
 */
export function config<S extends TObject>(schema: S): Token<Static<S>> {
  return token<Static<S>>(`config(${Object.keys(schema.properties).join(', ')})`, {
    default: () => readConfig(schema, process.env),
  });
}

/** @throws {ConfigError} `CONFIG_INVALID` with every fault. */
function readConfig<S extends TObject>(
  schema: S,
  environment: Readonly<Record<string, string | undefined>>,
): Static<S> {
  const settings = compileNamed(schema)(environment);
  const findings: Findings = { issues: undefined };
  // As a body is checked: what came is not repeated.
  if (compileCheck(schema, 'body', '')(findings, settings) !== INVALID)
    return settings as Static<S>;
  throw new ConfigError(
    (findings.issues ?? []).map(({ pointer, message }) => `${pointer.slice(1)} ${message}`),
  );
}
