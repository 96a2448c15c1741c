import { createApp, type App, type AppOptions } from 'thereafter';
import { ItemsController } from './items.ts';
import { NotificationsController } from './notifications.ts';
import { ProcessController } from './process.ts';
import { UsersController } from './users.ts';

export function tour(options: AppOptions = {}): App {
  return createApp({ title: 'Tour', ...options }).include(
    NotificationsController,
    UsersController,
    ItemsController,
    ProcessController,
  );
}
