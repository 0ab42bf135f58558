"use strict";
// Before anything is shown, so that the page does not flash.
try {
  const theme = localStorage.getItem("asyncfix-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Where nothing may be stored, the system decides.
}
