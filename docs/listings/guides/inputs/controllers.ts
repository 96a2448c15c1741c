import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Readable } from 'node:stream';
import {
  BackgroundTasks,
  body,
  Body,
  Controller,
  Cookie,
  File,
  form,
  Form,
  Get,
  Header,
  Path,
  Post,
  Query,
  type App,
  type AppOptions,
  type UploadedFile,
} from 'thereafter';
import { Type, type Static } from 'typebox';

// #region items
const Search = Type.Object({
  text: Type.String({ minLength: 1 }),
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
  tags: Type.Optional(Type.Array(Type.String())),
});

@Controller('/items')
export class ItemsController {
  @Get('/')
  find(@Query(Search) search: Static<typeof Search>) {
    return search;
  }

  @Get('/:id')
  one(
    @Path('id', Type.Integer()) id: number,
    @Header('Accept-Language', Type.String({ default: 'en' })) language: string,
    @Cookie('theme', Type.Optional(Type.String())) theme: string | undefined,
  ) {
    return { id, language, theme };
  }
}
// #endregion

// #region days
const Day = Type.Codec(Type.String({ format: 'date' }))
  .Decode((text) => new Date(text))
  .Encode((day) => day.toISOString().slice(0, 10));

@Controller('/days')
export class DaysController {
  @Get('/weekday')
  weekday(@Query('day', Day) day: Date) {
    return { weekday: day.getUTCDay() };
  }
}
// #endregion

// #region users
const NewUser = Type.Object({
  name: Type.String({ minLength: 1 }),
  email: Type.String({ format: 'email' }),
});

@Controller('/users')
export class UsersController {
  @Post('/')
  create(@Body(NewUser, { maxBytes: 16 * 1024 }) user: Static<typeof NewUser>) {
    return user;
  }
}
// #endregion

// #region raw
@Controller('/raw')
export class RawController {
  @Post('/text')
  text(@Body.text() text: string) {
    return { characters: text.length };
  }

  @Post('/bytes')
  bytes(@Body.bytes() bytes: Buffer) {
    return { bytes: bytes.length };
  }

  @Post('/stream')
  async stream(@Body.stream({ maxBytes: 1024 ** 3 }) stream: Readable) {
    await pipeline(stream, createWriteStream('/dev/null'));
    return { stored: true };
  }
}
// #endregion

// #region login
const Login = Type.Object({ name: Type.String(), remember: Type.Boolean({ default: false }) });

@Controller('/login')
export class LoginController {
  @Post('/')
  login(@Form(Login) login: Static<typeof Login>) {
    return login;
  }
}
// #endregion

// #region upload
@Controller('/upload')
export class UploadController {
  @Post('/')
  upload(
    @File('file', { maxBytes: 50 * 1024 * 1024 }) file: UploadedFile,
    @Form('title', Type.Optional(Type.String())) title: string | undefined,
    tasks: BackgroundTasks,
  ) {
    tasks.add(async () => {
      await compress(file.path); // the file is there until the tasks are done
    });
    return { filename: file.name, title, status: 'processing' };
  }
}
// #endregion

export const compressed: string[] = [];

async function compress(path: string): Promise<void> {
  compressed.push(path);
}

// #region import
export function addImport(app: App): App {
  return app.post('/import', { in: { parts: form.parts() } }, async ({ parts }) => {
    const sizes: Record<string, number> = {};
    for await (const part of parts) {
      let size = 0;
      for await (const chunk of part.stream) size += (chunk as Buffer).length;
      sizes[part.name] = size;
    }
    return sizes;
  });
}
// #endregion

// #region limits
export const strict: AppOptions = {
  limits: {
    maxBodyBytes: 64 * 1024,
    compressedBodies: true,
    requestTimeout: '5s',
    multipart: { maxFiles: 1 },
  },
};
// #endregion
