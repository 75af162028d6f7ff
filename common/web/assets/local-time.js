// Writes a time in the visitor's own time zone and format, which only the browser knows.
function localTime(at) {
  // If a browser cannot write Galician dates, it writes Spanish ones, which are similar.
  const languages = [document.documentElement.lang, "es"];
  const isToday = at.toDateString() === new Date().toDateString();
  return isToday ? at.toLocaleTimeString(languages) : at.toLocaleString(languages);
}

