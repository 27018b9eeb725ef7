import { Controller, Get, Module } from '@nestjs/common';
import { createApp } from '../apps/api/app.js';
import { configFromEnv } from '../apps/api/config.js';
import { Allow } from '../apps/api/http/access.js';
import { PathId } from '../apps/api/validation/path-id.js';

// The API's own door, guard and all, with nothing behind it but a fixed answer: what reading a package is measured against.

const ANSWER = { hello: 'world' };

@Controller('hello')
class HelloController {
  @Get(':id')
  @Allow('packages:read')
  hello(@PathId('id') _: string): typeof ANSWER {
    return ANSWER;
  }
}

@Module({ controllers: [HelloController] })
class HelloModule {}

const app = await createApp(configFromEnv(process.env), {
  connect: async () => ({
    modules: [HelloModule],
    checks: {},
    waitFor: () => Promise.resolve(true),
    close: () => Promise.resolve(),
  }),
});
await app.listen(0, '127.0.0.1');
process.once('disconnect', () => process.exit(0));
process.send!({ ready: await app.getUrl() });
