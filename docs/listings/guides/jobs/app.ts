// #region app
import { createApp } from 'thereafter';
import { jobs } from '@thereafter/queue';
import { sqlite } from '@thereafter/queue/sqlite';
// #endregion
import { Controller, Path, Post } from 'thereafter';
import { Type } from 'typebox';
import { ExportAccount, Exports } from './export.ts';

@Controller('/exports')
class ExportsController {
  constructor(private readonly exports: Exports) {}

  @Post('/:account', { status: 202 })
  begin(@Path('account', Type.Integer()) account: number) {
    return this.exports.begin(account);
  }
}

// #region app
export const app = createApp({ jobs: jobs({ driver: sqlite({ file: 'data/jobs.db' }) }) }).include(
  ExportsController,
  ExportAccount,
);
// #endregion
