import { Table, type TableProps } from 'antd';
import { useLayoutEffect, useRef, useState } from 'react';

/** AntD's table that draws only the rows that are seen. `height` is that of the rows, px; columns need a `width`. */
export function VirtualTable<T extends object>({
  columns,
  rows,
  rowKey,
  height,
  minWidth = 600,
  ...rest
}: Omit<TableProps<T>, 'dataSource' | 'scroll' | 'virtual' | 'pagination'> & {
  readonly rows: readonly T[];
  readonly rowKey: string | ((row: T) => string);
  readonly height: number;
  /** Narrower places scroll sideways, px. */
  readonly minWidth?: number;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(minWidth);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return (
    <div ref={box} className="kit-virtual-table">
      <Table<T>
        virtual
        size="middle"
        pagination={false}
        {...(columns === undefined ? {} : { columns })}
        dataSource={rows}
        rowKey={rowKey}
        scroll={{ x: Math.max(width, minWidth), y: height }}
        {...rest}
      />
    </div>
  );
}
