// The server knows the time, and only the browser the reader's time zone and way of writing it.
function localTime(at) {
  // A browser that cannot write Galician dates writes Spanish ones, which are close.
  const languages = [document.documentElement.lang, "es"];
  const isToday = at.toDateString() === new Date().toDateString();
  return isToday ? at.toLocaleTimeString(languages) : at.toLocaleString(languages);
}

