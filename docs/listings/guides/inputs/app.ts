import { createApp, type App, type AppOptions } from 'thereafter';
import {
  addImport,
  DaysController,
  ItemsController,
  LoginController,
  RawController,
  UploadController,
  UsersController,
} from './controllers.ts';

/** Everything that the guide shows, in one app. */
export function inputs(options?: AppOptions): App {
  return addImport(
    createApp(options).include(
      ItemsController,
      DaysController,
      UsersController,
      RawController,
      LoginController,
      UploadController,
    ),
  );
}
