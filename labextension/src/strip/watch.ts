/**
 * Gives every notebook of a lesson its strips, as long as it is open and lies in the lesson's folder.
 */
import type { NotebookPanel } from '@jupyterlab/notebook';

import type { LessonPlace } from '../exercises';
import type { ClassroomModel } from '../model';
import type { Notebooks } from '../notebooks';
import { NotebookStrips, type StripOptions } from './manager';

export function watchNotebooks(notebooks: Notebooks, options: StripOptions): void {
  const follow = (panel: NotebookPanel) => {
    let strips: NotebookStrips | null = null;
    const arrange = () => {
      strips?.dispose();
      const place = notebooks.placeOf(panel);
      strips = place && new NotebookStrips(panel, place, options);
      if (place) {
        loadVerdicts(options.model, panel, place);
      }
    };
    void panel.context.ready.then(() => {
      arrange();
      panel.context.pathChanged.connect(arrange);
    });
  };
  notebooks.tracker.forEach(follow);
  notebooks.tracker.widgetAdded.connect((_, panel) => follow(panel));
}

/** Fetches the lesson's last verdicts as soon as its classroom is known, and again when the hub is back. */
function loadVerdicts(model: ClassroomModel, panel: NotebookPanel, place: LessonPlace): void {
  let loaded = false;
  const load = () => {
    const ready = model.online && model.classroom?.slug === place.classroom;
    if (ready && !loaded) {
      void model.loadWorks(place.lesson);
    }
    loaded = ready;
  };
  model.changed.connect(load);
  panel.disposed.connect(() => model.changed.disconnect(load));
  load();
}
