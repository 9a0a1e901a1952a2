import Database from 'better-sqlite3';

/** Another program that holds the database, as a backup tool may. */
export class Disk implements Disposable {
  readonly #db: Database.Database;

  constructor(data: string) {
    this.#db = new Database(`${data}/campus.db`);
  }

  seize(): void {
    this.#db.exec('BEGIN IMMEDIATE');
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}
