// Generated from pmh_jupyter/domain/feedback_text.py by `python -m pmh_jupyter.wire.typescript`; do not edit.
import type { TranslationBundle } from '@jupyterlab/translation';

import { fillTemplate, hasParams } from './template';
import type { MessageReply } from './wire';

/** The sentence for a message of the grader; a neutral one for a code that this version does not know. */
export function feedbackText(trans: TranslationBundle, message: MessageReply): string {
  return fillTemplate(feedbackTemplate(trans, message), message.params);
}

function feedbackTemplate(trans: TranslationBundle, { code, params }: MessageReply): string {
  switch (code) {
    case 'solved':
      return trans.__('Solved.');
    case 'needs-grading':
      return trans.__('Submitted. A person will grade this exercise.');
    case 'test-differs':
      return trans.__('`{expression}` gave {got}, expected {expected}.');
    case 'test-not-met':
      return trans.__('`{expression}` is not true yet.');
    case 'test-message':
      return trans.__('{text}');
    case 'test-object-for-data':
      return trans.__('`{expression}` uses an object of class {class}. The test expects plain data (a number, string or list).');
    case 'test-object-of-test':
      return trans.__('`{expression}` uses an object of the test itself. The test expects plain data (a number, string or list).');
    case 'test-code-for-data':
      return trans.__('`{expression}` would run your answer as code. The test expects plain data (a number, string or list).');
    case 'test-dishonest-operator':
      return trans.__('`{expression}` uses an instance of your class {class}, whose comparison methods contradict each other.');
    case 'test-not-a-number':
      return trans.__('`{expression}` has a value that is not a finite number (nan or inf).');
    case 'test-empty-value':
      return trans.__('`{expression}` gets an empty result from your code, but values are expected.');
    case 'test-too-few-values':
      return trans.__('`{expression}` compared only {got} of {expected} values. Your result may be too short.');
    case 'test-raised':
      if (hasParams(params, 'detail', 'line')) return trans.__('`{expression}` raised {error} in line {line}: {detail}.');
      if (hasParams(params, 'line')) return trans.__('`{expression}` raised {error} in line {line}.');
      if (hasParams(params, 'detail')) return trans.__('`{expression}` raised {error}: {detail}.');
      return trans.__('`{expression}` raised {error}.');
    case 'test-timed-out':
      return trans.__('`{expression}` was stopped after {seconds} s. Look for a loop that never ends.');
    case 'partial-credit':
      return trans.__('Partly solved: {earned} of the {points} points of this test.');
    case 'invalid-credit':
      return trans.__('Not counted: this test does not end with a number from 0 to {points}. Please tell your instructor.');
    case 'credit-not-a-number':
      return trans.__('No points: with your answer, this test does not come to a number of points. Check what your code returns.');
    case 'test-not-reached':
      return trans.__('Not checked, because an earlier test stopped the rest.');
    case 'test-not-evaluated':
      return trans.__('This test could not be evaluated.');
    case 'hidden-test-failed':
      return trans.__('A hidden test does not pass yet.');
    case 'hidden-test-raised':
      if (hasParams(params, 'line')) return trans.__('In a hidden test, your code raised {error} in line {line}.');
      return trans.__('In a hidden test, your code raised {error}.');
    case 'hidden-test-timed-out':
      return trans.__('A hidden test was stopped after {seconds} s. Look for a loop that never ends.');
    case 'invalid-test':
      return trans.__('This test cannot be run because of a mistake in the test, not in your answer. Please tell your instructor.');
    case 'not-answered':
      if (hasParams(params, 'line')) return trans.__('There is still a NotImplementedError in line {line}. Replace it with your answer.');
      return trans.__('There is still a NotImplementedError. Replace it with your answer.');
    case 'cell-raised':
      if (hasParams(params, 'detail', 'line')) return trans.__('Your cell raised {error} in line {line}: {detail}.');
      if (hasParams(params, 'line')) return trans.__('Your cell raised {error} in line {line}.');
      if (hasParams(params, 'detail')) return trans.__('Your cell raised {error}: {detail}.');
      return trans.__('Your cell raised {error}.');
    case 'cell-read-input':
      if (hasParams(params, 'line')) return trans.__('Your cell asks for input in line {line}, but nobody can answer while it is being checked.');
      return trans.__('Your cell asks for input, but nobody can answer while it is being checked.');
    case 'cell-timed-out':
      return trans.__('Your code was stopped after {seconds} s. Look for a loop that never ends.');
    case 'cell-exited':
      return trans.__('Your code ended Python (exit code {code}), so this exercise could not be checked.');
    case 'kernel-ended':
      return trans.__('Your code ended the kernel, so this exercise could not be checked.');
    case 'cell-crashed':
      if (hasParams(params, 'signal')) return trans.__('Your code made Python crash ({signal}), so this exercise could not be checked.');
      return trans.__('Your code made Python crash, so this exercise could not be checked.');
    case 'memory-limit-exceeded':
      return trans.__('Your code needed more than {megabytes} MiB of memory. Look for a list that grows without end.');
    case 'cell-exhausted-resources':
      return trans.__('Your code left too many files or threads open. Look for something that is opened inside a loop.');
    case 'output-limit-exceeded':
      return trans.__('Your code was stopped because it printed more than {megabytes} MiB. Look for a print inside a loop.');
    case 'submission-timed-out':
      return trans.__('The notebook took longer than {seconds} s, so the remaining cells were not run.');
    case 'not-reached':
      return trans.__('Not checked, because an earlier cell stopped the notebook. Fix that cell first, then check again.');
    case 'name-defined-in-locked-cell':
      return trans.__('You defined `{name}` in the locked cell “{cell}”, which was replaced. Define it in a new cell.');
    case 'answer-not-found':
      return trans.__('The answer cell “{cell}” was not found in your notebook. Open the lesson again to get it back.');
    case 'notebook-missing':
      return trans.__('The notebook “{notebook}” was not submitted.');
    case 'notebook-unreadable':
      return trans.__('“{notebook}” could not be read as a notebook. Open it in JupyterLab, save it, and try again.');
    case 'submission-unreadable':
      return trans.__('The submission could not be read: {reason}. Remove what the exercises do not need, and try again.');
    case 'notebook-too-long':
      return trans.__('“{notebook}” has more than {max} cells, so none of it was run. Delete the cells that you do not need.');
    case 'no-visible-tests':
      return trans.__('Nothing was tested: this exercise has only hidden tests, which run when you submit.');
    case 'grader-error':
      return trans.__('The grader failed. This attempt does not count.');
    case 'in-process-solution-fails':
      return trans.__('The solution passes “{cell}” only in the student\'s own process ({error}).');
    case 'in-process-results-differ':
      return trans.__('In a separate process, the tests in “{cell}” give another result when an answer is missing.');
    case 'in-process-kernel':
      return trans.__('The notebook\'s language is not Python: the kernel “{kernel}” runs both tests and answers.');
    case 'left-out-name':
      return trans.__('{path}: left out, because the name is too long or has characters that cannot be stored everywhere.');
    case 'left-out-link':
      return trans.__('{path}: left out, because links are not followed.');
    case 'left-out-environment':
      return trans.__('{path}: left out, because environments of installed packages are not graded.');
    case 'left-out-unreadable':
      return trans.__('{path}: left out, because only regular files that can be read are graded.');
    case 'left-out-large':
      return trans.__('{path}: left out, because a submission has at most {files} files and {megabytes} MiB.');
    case 'left-out-beside-notebook':
      return trans.__('{path}: left out, because the files beside the notebooks have at most {megabytes} MiB.');
    case 'left-out-large-notebook':
      return trans.__('{path}: left out, because a notebook has at most {megabytes} MiB. Clear its outputs, and save it.');
    case 'left-out-module':
      return trans.__('{path}: left out, because the lesson has a module or package of this name. Rename yours.');
    case 'left-out-notebook':
      return trans.__('{path}: cannot be read as a notebook.');
    case 'repair-notebook-name':
      return trans.__('“{found}” was graded as “{expected}”, because it contains that notebook\'s cells.');
    case 'extra-notebook':
      return trans.__('“{found}” also contains cells of “{expected}”. It was not graded.');
    case 'repair-restored-cell':
      return trans.__('The cell “{cell}” was missing. The lesson\'s own version was used.');
    case 'repair-restored-tests':
      return trans.__('The tests in “{cell}” were changed. The lesson\'s own version was used.');
    case 'repair-restored-locked-cell':
      return trans.__('The locked cell “{cell}” was changed. The lesson\'s own version was used.');
    case 'repair-lost-label':
      return trans.__('The answer cell “{cell}” had lost its label. It was recognized by its id or its content.');
    case 'repair-matched-by-position':
      return trans.__('The answer cell “{cell}” had lost its label. The cell in its position was used.');
    case 'repair-moved-answer':
      return trans.__('Your answer to “{cell}” was found in another cell, which was run in its place.');
    case 'repair-merged-answer':
      return trans.__('Your answer to “{cell}” was found in the cell for “{other}”. That cell was run for both exercises.');
    case 'repair-duplicate-cells':
      return trans.__('{count} cells were labeled “{cell}”. Those that contain an answer were run one after another.');
    case 'repair-cell-type':
      return trans.__('The answer cell “{cell}” was not a code cell. It was run as code.');
    default:
      return trans.__('Your server does not know this message yet. Restart it to update.');
  }
}
