/** Words for people, at most so many characters: readers refuse longer ones, and what is cut is seen to be. Never half a character. */
export function clip(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
