/** A pattern of machine English and its Chinese: words (with $1 ...), or what makes them of its parts. */
export type Retelling<Context> = readonly [RegExp, string | ((context: Context, parts: readonly string[]) => string)];

/** Puts a machine's sentence into other words, pattern by pattern in the order of the table. */
export function retell<Context>(said: string, table: readonly Retelling<Context>[], context: Context): string {
  let told = said;
  for (const [pattern, words] of table) {
    told =
      typeof words === 'string'
        ? told.replace(pattern, words)
        : told.replace(pattern, (_, ...rest) =>
            words(
              context,
              rest.filter((part) => typeof part === 'string'),
            ),
          );
  }
  return told;
}
