#!/usr/bin/env node
import { adopt } from './adopt';
import { complete } from './complete';
import { doctor } from './doctor';
import { runProgram } from './run';
import { serve } from './serve';

runProgram({
  name: 'thoughtline',
  title: 'thoughtline: code completion that thinks about your file first',
  start: 'thoughtline',
  commands: { complete, adopt, doctor, serve },
});
