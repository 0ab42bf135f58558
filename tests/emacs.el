;;; What tests/emacs.py has Emacs do: open a file, wait for the diagnostics, apply a quick fix, then all fixes, and save
;;; it.  What was seen goes to a file as JSON.  Runs in Emacs 28 with the package eglot, and in 29 and newer.  -*- lexical-binding: t -*-

(require 'cl-lib)
(require 'json)
(package-initialize)
(require 'eglot)
(require 'flymake)

(defvar seen nil "What was seen, as an association list.")

(defun see (name value)
  (push (cons name value) seen))

(defun finish (problem)
  (see 'problem problem)
  (with-temp-file (getenv "SEEN")
    (insert (json-encode seen)))
  (set-buffer-modified-p nil)
  (kill-emacs 0))

(defun wait-for (what condition)
  (let ((end (+ (float-time) 60)))
    (while (not (funcall condition))
      (when (> (float-time) end)
        (finish (format "waited in vain for %s" what)))
      (accept-process-output nil 0.05)
      ;; What Emacs does by itself where somebody types.
      (when (bound-and-true-p eglot--managed-mode)
        (eglot--signal-textDocument/didChange)))))

(defun choose (title kind)
  "Choose the action whose title begins with TITLE, as a person would."
  (let ((before (buffer-string)) (chosen nil))
    (cl-letf (((symbol-function 'completing-read)
               (lambda (_prompt collection &rest _)
                 (setq chosen (cl-find-if (lambda (it) (string-prefix-p title it))
                                          (mapcar (lambda (it) (if (consp it) (car it) it)) collection)))
                 (or chosen (finish (format "no action begins with %s" title))))))
      (eglot-code-actions (point) (point) kind t))
    (wait-for title (lambda () (not (equal before (buffer-string)))))
    chosen))

(defun in-order ()
  (sort (flymake-diagnostics) (lambda (one other) (< (flymake-diagnostic-beg one) (flymake-diagnostic-beg other)))))

;; The keyboard was used, not the mouse: eglot asks in the minibuffer, not by a menu.
(setq last-nonmenu-event ?\r)
(setq eglot-server-programs `((python-mode . (,(getenv "ASYNCFIX") "server")))
      eglot-sync-connect 60
      eglot-autoshutdown nil
      flymake-no-changes-timeout 0.1
      make-backup-files nil)
(find-file (expand-file-name (getenv "NAME") (getenv "PROJECT")))
(python-mode)
(apply #'eglot (eglot--guess-contact))
(wait-for "diagnostics"
          (lambda () (>= (length (flymake-diagnostics)) (string-to-number (getenv "FINDINGS")))))
(see 'diagnostics (mapcar #'flymake-diagnostic-text (in-order)))
(goto-char (flymake-diagnostic-beg (car (in-order))))
(choose "Apply await-sleep (intended)" "quickfix")
(see 'after_fix (buffer-string))
(goto-char (point-min))
(choose "Apply all" "source.fixAll.asyncfix")
(wait-for "no diagnostics" (lambda () (null (flymake-diagnostics))))
(save-buffer)
(finish nil)
