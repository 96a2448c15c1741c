import { describe, expect, it } from 'vitest';
import { ArgumentError, ResolutionError, ThereafterError } from '../src/errors.ts';

describe('ArgumentError', () => {
  const error = new ArgumentError('Write it otherwise.');

  it('is what JavaScript calls such a mistake, and an error of this project', () => {
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toBeInstanceOf(ThereafterError);
    expect(error).toMatchObject({ name: 'ArgumentError', code: 'ARGUMENT_INVALID' });
  });

  it('is no error of the other classes', () => {
    expect(error).not.toBeInstanceOf(ResolutionError);
    expect(new ResolutionError('TA120', 'too late')).not.toBeInstanceOf(ArgumentError);
    expect(new TypeError('of others')).not.toBeInstanceOf(ThereafterError);
    expect(undefined).not.toBeInstanceOf(ThereafterError);
  });
});
