import { Tabs } from '@mantine/core';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useEffect, useRef, type ReactNode } from 'react';
import css from './ui.module.css';

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
      <div ref={bar} className={css.sections}>
        <Tabs value={current?.key ?? null} onChange={(key) => void navigate({ to: `${base}/${key ?? ''}` })}>
          <Tabs.List className={css.sectionList}>
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
