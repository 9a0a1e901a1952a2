import { Pagination, Table, type TableColumnsType } from 'antd';
import { type ReactNode, useState } from 'react';
import { phoneQuery, useMedia } from './theme.tsx';

export interface CardColumn<T> {
  readonly key: string;
  readonly title: string;
  /** What is empty on a phone (null, '', false) takes no line there. */
  readonly render: (row: T) => ReactNode;
  readonly align?: 'right';
  readonly width?: number;
}

const onePage = 50;

/**
 * A short table (hundreds of rows at most). On a phone each row is a card: the first column its heading, the others lines
 * of name and value, and `actions` buttons below them. `data-row` holds the row's key.
 */
export function CardTable<T extends object>({
  label,
  columns,
  rows,
  keyOf,
  actions,
  minWidth = 700,
}: {
  readonly label: string;
  readonly columns: readonly CardColumn<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  readonly actions?: { readonly title: string; readonly render: (row: T) => ReactNode; readonly width?: number };
  /** Narrower places scroll sideways, px. */
  readonly minWidth?: number;
}) {
  const isPhone = useMedia(phoneQuery);
  if (isPhone) return <Cards label={label} columns={columns} rows={rows} keyOf={keyOf} actions={actions} />;
  const shown: TableColumnsType<T> = columns.map(({ key, title, render, align, width }) => ({
    key,
    title,
    render: (_, row) => render(row),
    ...(align === undefined ? {} : { align }),
    ...(width === undefined ? {} : { width }),
  }));
  if (actions !== undefined) {
    const { title, render, width } = actions;
    shown.push({
      key: 'actions',
      title: <span className="kit-unseen">{title}</span>,
      align: 'right',
      render: (_, row) => <div className="kit-row-actions">{render(row)}</div>,
      ...(width === undefined ? {} : { width }),
    });
  }
  return (
    <Table<T>
      className="kit-card-table"
      aria-label={label}
      columns={shown}
      dataSource={rows}
      rowKey={keyOf}
      size="middle"
      pagination={rows.length > onePage ? { pageSize: onePage, showSizeChanger: false } : false}
      scroll={{ x: minWidth }}
      onRow={(row) => ({ 'data-row': keyOf(row) }) as object}
    />
  );
}

function Cards<T extends object>({
  label,
  columns,
  rows,
  keyOf,
  actions,
}: {
  readonly label: string;
  readonly columns: readonly CardColumn<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  readonly actions: { readonly render: (row: T) => ReactNode } | undefined;
}) {
  const [wanted, setPage] = useState(1);
  const page = Math.min(wanted, Math.max(1, Math.ceil(rows.length / onePage)));
  const [head, ...facts] = columns;
  return (
    <>
      <ul className="kit-cards" aria-label={label}>
        {rows.slice((page - 1) * onePage, page * onePage).map((row) => (
          <li key={keyOf(row)} data-row={keyOf(row)}>
            <div className="kit-card-head">{head?.render(row)}</div>
            <dl>
              {facts.map(({ key, title, render }) => (
                <Fact key={key} title={title}>
                  {render(row)}
                </Fact>
              ))}
            </dl>
            {actions !== undefined && <div className="kit-row-actions">{actions.render(row)}</div>}
          </li>
        ))}
      </ul>
      {rows.length > onePage && (
        <Pagination simple current={page} pageSize={onePage} total={rows.length} onChange={setPage} />
      )}
    </>
  );
}

function Fact({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  if (children === null || children === '' || children === false) return null;
  return (
    <div>
      <dt>{title}</dt>
      <dd>{children}</dd>
    </div>
  );
}
