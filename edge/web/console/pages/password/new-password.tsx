import { Input } from 'antd';
import { useId } from 'react';
import { SignIcon } from '../../kit/icons.tsx';
import { useWords } from '../../kit/language.tsx';
import { type PasswordRule, rulesMet } from '../../password-rules.ts';
import { words } from './words.ts';

const ruleWords = { length: 'ruleLength', kinds: 'ruleKinds', name: 'ruleName', common: 'ruleCommon' } as const;
const rules: readonly PasswordRule[] = ['length', 'kinds', 'name', 'common'];

export interface NewPassword {
  readonly password: string;
  readonly again: string;
}

/** Whether it may be sent: every rule met, twice the same. */
export function isComplete({ password, again }: NewPassword, owner: readonly string[]): boolean {
  return password === again && Object.values(rulesMet(password, owner)).every((met) => met);
}

/** A new password, twice, with the rules it meets as it is typed. `owner`: account and name, which it must not hold. */
export function NewPasswordFields({
  value,
  owner,
  onChange,
}: {
  readonly value: NewPassword;
  readonly owner: readonly string[];
  readonly onChange: (value: NewPassword) => void;
}) {
  const say = useWords(words);
  const id = useId();
  const met = rulesMet(value.password, owner);
  return (
    <>
      <div className="kit-field">
        <label htmlFor={`${id}-new`}>{say.password}</label>
        <Input.Password
          id={`${id}-new`}
          autoComplete="new-password"
          aria-describedby={`${id}-rules`}
          value={value.password}
          onChange={(event) => onChange({ ...value, password: event.target.value })}
        />
        <ul id={`${id}-rules`} className="password-rules">
          {rules.map((rule) => (
            <li key={rule} data-met={met[rule]}>
              <SignIcon sign={met[rule] ? 'dot' : 'square'} size={11} />
              <span>{say[ruleWords[rule]]}</span>
              <span className="kit-unseen">{met[rule] ? say.met : say.notMet}</span>
            </li>
          ))}
        </ul>
      </div>
      <div className="kit-field">
        <label htmlFor={`${id}-again`}>{say.again}</label>
        <Input.Password
          id={`${id}-again`}
          autoComplete="new-password"
          value={value.again}
          status={value.again !== '' && value.again !== value.password ? 'error' : ''}
          onChange={(event) => onChange({ ...value, again: event.target.value })}
        />
      </div>
    </>
  );
}
