import { Tabs } from '@mantine/core';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useEffect, useRef, type ReactNode } from 'react';

export interface Section {
  key: string;
  label: string;
  show: () => ReactNode;
}

/** Parts of a page, each with an address of its own. */
export function Sections({ base, sections }: { base: string; sections: Section[] }) {
  const { section } = useParams({ strict: false });
  const navigate = useNavigate();
  const current = sections.find(({ key }) => key === section) ?? sections[0];
  const bar = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // On a phone the one that is shown may lie beyond the edge.
    bar.current?.querySelector('[data-active]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [current?.key]);
  return (
    <>
      <div ref={bar} style={{ overflowX: 'auto', scrollbarWidth: 'none' }}>
        <Tabs value={current?.key ?? null} onChange={(key) => void navigate({ to: `${base}/${key ?? ''}` })}>
          <Tabs.List style={{ flexWrap: 'nowrap' }}>
            {sections.map(({ key, label }) => (
              <Tabs.Tab key={key} value={key}>
                {label}
              </Tabs.Tab>
            ))}
          </Tabs.List>
        </Tabs>
      </div>
      {current?.show()}
    </>
  );
}
