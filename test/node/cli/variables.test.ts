import { describe, expect, it } from 'vitest';
import { fillVariables } from '../../../cli/config/variables.ts';

const environment = { NAME: 'value', EMPTY: '', NESTED: '${NAME}' };

describe('fillVariables', () => {
  it.each([
    ['plain', 'plain'],
    ['${NAME}', 'value'],
    ['a ${NAME} b ${NAME}', 'a value b value'],
    ['${NONE:-default}', 'default'],
    ['${NONE:-}', ''],
    ['${EMPTY}', ''],
    ['${EMPTY:-default}', 'default'],
    ['${NAME:-default}', 'value'],
    ['${NONE:-http://127.0.0.1:1/x}', 'http://127.0.0.1:1/x'],
    ['$NAME', '$NAME'],
    ['$${NAME}', '${NAME}'],
    // A value is taken as it is: it must not reach for other variables.
    ['${NESTED}', '${NAME}'],
  ])('%s → %s', (text, filled) => {
    expect(fillVariables(text, environment)).toMatchObject({ text: filled, problems: [] });
  });

  it('names what is not set, each of them', () => {
    const { problems } = fillVariables('${A} ${B}', environment);
    expect(problems.map(({ message }) => message)).toEqual(['the variable A is not set', 'the variable B is not set']);
  });

  it.each(['${', '${1A}', '${A B}', '${input:token}'])('refuses %s', (text) => {
    expect(fillVariables(text, environment).problems).toHaveLength(1);
  });

  it('tells which values came from the environment', () => {
    expect(fillVariables('${NAME} ${NONE:-default}', environment).used).toEqual(['value']);
  });
});
