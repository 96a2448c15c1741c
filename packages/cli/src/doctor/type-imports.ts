import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import {
  parseSync,
  Visitor,
  type Class,
  type ImportDeclaration,
  type ParamPattern,
  type TSType,
} from 'oxc-parser';
import type { Finding } from './check.ts';

const SKIPPED = new Set(['node_modules', 'dist']);

/**
 * Parameters that injection fills, but whose class is imported with `import type`: at run time nothing is
 * left of it. Looks at every TypeScript file in the folder of the entry and below.
 */
export function checkTypeImports(entry: string): Finding[] {
  const root = dirname(entry);
  const files = globSync('**/*.{ts,mts}', {
    cwd: root,
    exclude: (path) => SKIPPED.has(path.split(sep).at(-1)!),
  });
  return files
    .toSorted()
    .filter((file) => !/\.d\.m?ts$/.test(file))
    .flatMap((file) => findErased(join(root, file)));
}

/** An import of which only the type is taken. */
interface TypeImport {
  readonly from: string;
  readonly offset: number;
}

function findErased(file: string): Finding[] {
  const source = readFileSync(file, 'utf8');
  const { program, errors } = parseSync(file, source);
  if (errors.length > 0) return []; // who runs it says so
  const erased = new Map<string, TypeImport>();
  const findings: Finding[] = [];
  const visit = (declared: Class): void => {
    for (const { type, where } of injectedTypes(declared)) {
      const found = erased.get(type);
      if (!found) continue;
      erased.delete(type); // said once
      const line = source.slice(0, found.offset).split('\n').length;
      findings.push({
        problem: `${relative(process.cwd(), file)}:${line} imports ${type} as a type only, and ${where} asks for it: there is nothing to inject`,
        remedy: `Write import { ${type} } from '${found.from}', if it is a class; for an interface, make a token().`,
      });
    }
  };
  new Visitor({
    ImportDeclaration: (node) => noteTypes(node, erased),
    ClassDeclaration: visit,
    ClassExpression: visit,
  }).visit(program);
  return findings;
}

function noteTypes(node: ImportDeclaration, erased: Map<string, TypeImport>): void {
  for (const specifier of node.specifiers) {
    const isType =
      node.importKind === 'type' ||
      (specifier.type === 'ImportSpecifier' && specifier.importKind === 'type');
    if (isType) erased.set(specifier.local.name, { from: node.source.value, offset: node.start });
  }
}

/** The parameters of a class that are injected by their type: of its constructor, of its handlers. */
function injectedTypes(declared: Class): { type: string; where: string }[] {
  const name = declared.id?.name ?? 'a class';
  return declared.body.body.flatMap((member) => {
    if (member.type !== 'MethodDefinition') return [];
    const isConstructor = member.kind === 'constructor';
    const isInjected = (isConstructor ? declared : member).decorators.length > 0;
    if (!isInjected) return [];
    const key = member.key.type === 'Identifier' ? member.key.name : 'a method';
    const where = isConstructor ? `the constructor of ${name}` : `${name}.${key}`;
    return member.value.params.flatMap((parameter) => {
      const type = typeOf(parameter);
      return type === undefined ? [] : { type, where };
    });
  });
}

/** The name of an undecorated parameter's type. */
function typeOf(parameter: ParamPattern): string | undefined {
  if (parameter.decorators && parameter.decorators.length > 0) return undefined;
  const pattern = parameter.type === 'TSParameterProperty' ? parameter.parameter : parameter;
  const named = pattern.type === 'AssignmentPattern' ? pattern.left : pattern;
  if (!('typeAnnotation' in named)) return undefined;
  return nameOfType(named.typeAnnotation?.typeAnnotation);
}

function nameOfType(type: TSType | undefined): string | undefined {
  if (type?.type !== 'TSTypeReference' || type.typeName.type !== 'Identifier') return undefined;
  return type.typeName.name;
}
