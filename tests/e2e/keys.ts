import type { Page } from 'playwright-core';

/* A person without a mouse: goes from stop to stop with Tab, and must always see where he is. */

/** More stops than any page has before what one looks for. */
const mostStops = 120;

export interface Walker {
  /** Presses Tab until the stop fits a selector. Throws when it is not reached. */
  tabTo(selector: string): Promise<void>;
  /** Stops so far at which nothing showed that they are the one. */
  readonly unseen: readonly string[];
}

/**
 * What is focused, and whether it shows: an outline on it, or on what it lies in or beside (a label is what is drawn
 * of a radio button, the row of a link); AntD's fields have a shadow instead. '' when nothing is focused.
 */
const stop = (selector: string) => `(() => {
  const element = document.activeElement;
  if (element === null || element === document.body) return { name: '', isSeen: true, fits: false };
  const near = [element, element.nextElementSibling];
  for (let one = element.parentElement; one !== null && near.length < 6; one = one.parentElement) near.push(one);
  const outlined = (one) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(one);
    return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1;
  };
  const field = element.closest('.ant-input, .ant-input-affix-wrapper, .ant-input-number, .ant-select, .ant-select-selector, .ant-picker');
  const fits = element.matches(${JSON.stringify(selector)});
  const isSeen = element.matches('main') || near.some((one) => one instanceof Element && outlined(one)) ||
    (field !== null && [field, field.parentElement].some((one) => getComputedStyle(one).boxShadow !== 'none'));
  return { name: element.outerHTML.slice(0, 160), isSeen, fits };
})()`;

export function walker(page: Page): Walker {
  const unseen: string[] = [];
  return {
    unseen,
    tabTo: async (selector) => {
      let last = '';
      for (let count = 0; count < mostStops; count++) {
        await page.keyboard.press('Tab');
        const { name, isSeen, fits } = await page.evaluate<{ name: string; isSeen: boolean; fits: boolean }>(
          stop(selector),
        );
        if (!isSeen && !unseen.includes(name)) unseen.push(name);
        if (fits) return;
        last = name;
      }
      throw new Error(`${selector} is not reached with ${mostStops} Tabs; the last stop is ${last}`);
    },
  };
}
