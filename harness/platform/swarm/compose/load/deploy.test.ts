import { expect, test } from '@jest/globals';
import { constraintProblem } from './deploy.js';

test.each([
  ['node.role == manager', undefined],
  ['node.labels.a!=b c', undefined],
  ['node.ip==10.0.0.0/8', undefined],
  ['node.role', 'neither'],
  ['node.role = manager', 'neither'],
  ['== x', 'left side'],
  ['node role == x', 'left side'],
  ['node.role ==', 'right side'],
])('the constraint "%s"', (text, problem) => {
  if (problem === undefined) expect(constraintProblem(text)).toBeUndefined();
  else expect(constraintProblem(text)).toContain(problem);
});
