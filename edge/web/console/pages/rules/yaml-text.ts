/* A body as YAML, to be looked at and copied: every JSON text is also YAML, so that keys and strings may be written as JSON does. */

const widest = 96;
/** A star in front is an alias to YAML. */
const plain = /^[A-Za-z_][\w./*-]*$/;
const reserved = /^(true|false|null|yes|no|on|off|y|n)$/i;

function scalar(value: unknown): string {
  if (typeof value === 'string') return plain.test(value) && !reserved.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value) ?? 'null';
}

const isNested = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** On one line. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (!isNested(value)) return scalar(value);
  return `{${Object.entries(value)
    .map(([key, one]) => `${scalar(key)}: ${flow(one)}`)
    .join(', ')}}`;
}

export function yamlText(value: unknown, indent = ''): string {
  if (!isNested(value)) return `${indent}${scalar(value)}\n`;
  const isShort = (one: unknown) => !isNested(one) || indent.length + flow(one).length <= widest;
  if (Array.isArray(value)) {
    return value
      .map((one) =>
        isShort(one) ? `${indent}- ${flow(one)}\n` : `${indent}- ${yamlText(one, `${indent}  `).trimStart()}`,
      )
      .join('');
  }
  return Object.entries(value)
    .map(([key, one]) =>
      isShort(one)
        ? `${indent}${scalar(key)}: ${flow(one)}\n`
        : `${indent}${scalar(key)}:\n${yamlText(one, `${indent}  `)}`,
    )
    .join('');
}
