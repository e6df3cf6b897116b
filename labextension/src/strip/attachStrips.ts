/**
 * Attaches strips to every notebook that is open in a lesson's folder, and queues its saves.
 */
import type { NotebookPanel } from '@jupyterlab/notebook';

import type { LessonPath } from '../exercises';
import type { ClassroomModel } from '../model';
import type { LessonNotebooks } from '../notebooks';
import { queueSaves } from '../saveQueue';
import { NotebookStrips, type StripOptions } from './notebookStrips';

export function attachStrips(notebooks: LessonNotebooks, options: StripOptions): void {
  const attachTo = (panel: NotebookPanel) => {
    let strips: NotebookStrips | null = null;
    const update = () => {
      strips?.dispose();
      const path = notebooks.findLessonPath(panel);
      strips = path && new NotebookStrips(panel, path, options);
      if (path) {
        queueSaves(panel.context);
        keepVerdictsLoaded(options.model, panel, path);
      }
    };
    void panel.context.ready.then(() => {
      update();
      panel.context.pathChanged.connect(update);
    });
  };
  notebooks.tracker.forEach(attachTo);
  notebooks.tracker.widgetAdded.connect((_, panel) => attachTo(panel));
}

/** Loads the lesson's last verdicts when its classroom is known, and again when the hub is back or events were missed. */
function keepVerdictsLoaded(model: ClassroomModel, panel: NotebookPanel, path: LessonPath): void {
  let isLoaded = false;
  const load = async () => {
    isLoaded = true;
    isLoaded = await model.loadSubmissions(path.lesson);
  };
  const loadIfNeeded = () => {
    const canLoad = model.isOnline && model.classroom?.slug === path.classroom;
    if (canLoad && !isLoaded) {
      void load();
    }
    isLoaded = isLoaded && canLoad;
  };
  const loadAgain = () => {
    isLoaded = false;
    loadIfNeeded();
  };
  model.changed.connect(loadIfNeeded);
  model.eventsMissed.connect(loadAgain);
  panel.disposed.connect(() => {
    model.changed.disconnect(loadIfNeeded);
    model.eventsMissed.disconnect(loadAgain);
  });
  loadIfNeeded();
}
