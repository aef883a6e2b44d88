import { testRows } from '../support/key-rows.js';
import { profileRows } from './keys/profile-rows.js';
import { scenarioRows } from './keys/scenario-rows.js';

testRows({ ...scenarioRows, ...profileRows });
