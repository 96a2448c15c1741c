// Preloaded before the programs of pages: what they bundle is made of the packages' sources, which need
// no build. A reader's packages are built.
import { registerHooks } from 'node:module';

const door = '@thereafter/cli/esbuild';
const own = new URL('./bundle.ts', import.meta.url).href;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === door && context.parentURL !== own ? next(own, context) : next(specifier, context),
});
