import { Tabs } from '@mantine/core';
import { useNavigate, useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';

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
  return (
    <>
      <div style={{ overflowX: 'auto', scrollbarWidth: 'none' }}>
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
