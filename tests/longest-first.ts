import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What starts a whole campus and waits for it comes first: the last worker must not be left alone with the longest file. */
const folders = ['e2e', 'chaos', 'system', 'contract', 'unit', 'architecture'];

export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) =>
      folders.findIndex((name) => moduleId.includes(`/tests/${name}/`));
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => place(a) - place(b));
  }
}
