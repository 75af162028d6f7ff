//! The phrases of the status page.

web::phrases! {
    pub(crate) struct Phrases:
    description:
        "Where votes are on their way, hop by hop, and what to try if they are held up.",
        "Dónde están los votos, paso a paso, y qué probar si no avanzan.",
        "Onde están os votos, paso a paso, e que probar se non avanzan.",
        "Где находятся голоса, шаг за шагом, и что делать, если они застряли.";
    title: "Where is my vote?", "¿Dónde está mi voto?", "Onde está o meu voto?", "Где мой голос?";
    all_well:
        "All is well: votes are recorded, counted and shown.",
        "Todo va bien: los votos se registran, se cuentan y se muestran.",
        "Todo vai ben: os votos rexístranse, cóntanse e móstranse.",
        "Всё в порядке: голоса принимаются, считаются и показываются.";
    look_at: "Votes get through, but look at {hops}.", "Los votos pasan, pero mira {hops}.",
        "Os votos pasan, pero mira {hops}.", "Голоса проходят, но обратите внимание: {hops}.";
    broken_at: "Something is broken at {hops}.", "Algo falla en {hops}.",
        "Algo falla en {hops}.", "Сбой здесь: {hops}.";
    unreachable:
        "This page has lost its server: result does not answer.",
        "Esta página ha perdido su servidor: result no responde.",
        "Esta páxina perdeu o seu servidor: result non responde.",
        "Страница потеряла свой сервер: result не отвечает.";

    // The hops, and what each does.
    takes: "takes votes", "recoge los votos", "recolle os votos", "принимает голоса";
    keeps:
        "keeps recorded votes until they are counted", "guarda los votos registrados hasta el recuento",
        "garda os votos rexistrados ata o reconto", "хранит принятые голоса до подсчёта";
    counts: "counts votes", "cuenta los votos", "conta os votos", "считает голоса";
    holds: "holds what is counted", "guarda lo contado", "garda o contado", "хранит подсчитанное";
    shows: "shows the totals", "muestra los totales", "mostra os totais", "показывает итоги";
    well: "well", "bien", "ben", "в порядке";
    doubtful: "look here", "atención", "ollo", "внимание";
    broken: "broken", "falla", "avaría", "сбой";
    unknown: "not known", "no se sabe", "non se sabe", "неизвестно";

    // What each did.
    recorded_lately:
        "{n} vote recorded in the last {time}.|{n} votes recorded in the last {time}.",
        "{n} voto registrado en los últimos {time}.|{n} votos registrados en los últimos {time}.",
        "{n} voto rexistrado nos últimos {time}.|{n} votos rexistrados nos últimos {time}.",
        "{n} голос принят за последние {time}.|{n} голоса принято за последние {time}.|{n} голосов принято за последние {time}.";
    counted_lately:
        "{n} vote counted in the last {time}.|{n} votes counted in the last {time}.",
        "{n} voto contado en los últimos {time}.|{n} votos contados en los últimos {time}.",
        "{n} voto contado nos últimos {time}.|{n} votos contados nos últimos {time}.",
        "{n} голос подсчитан за последние {time}.|{n} голоса подсчитано за последние {time}.|{n} голосов подсчитано за последние {time}.";
    last_one: "The last one {time} ago.", "El último, hace {time}.", "O último, hai {time}.", "Последний — {time} назад.";
    nothing_waits: "No vote waits.", "No espera ningún voto.", "Non agarda ningún voto.", "Ни один голос не ждёт.";
    oldest:
        "The oldest has waited for {time}.", "El más antiguo espera desde hace {time}.",
        "O máis antigo agarda desde hai {time}.", "Самый старый ждёт {time}.";
    in_this_poll: "Counted in this poll: {votes}.", "Contados en esta votación: {votes}.",
        "Contados nesta votación: {votes}.", "Подсчитано в этом голосовании: {votes}.";
    last_change: "Last change {time} ago.", "Último cambio, hace {time}.", "Último cambio, hai {time}.", "Последнее изменение {time} назад.";
    viewers:
        "{n} viewer|{n} viewers", "{n} espectador|{n} espectadores", "{n} espectador|{n} espectadores",
        "{n} зритель|{n} зрителя|{n} зрителей";

    // The replicas.
    version: "release {version}", "versión {version}", "versión {version}", "версия {version}";
    on_node: "on {node}", "en {node}", "en {node}", "на {node}";
    running: "running for {time}", "en marcha desde hace {time}", "en marcha desde hai {time}", "работает {time}";
    share: "{share} of the recent votes", "{share} de los votos recientes", "{share} dos votos recentes", "{share} последних голосов";
    silent: "silent for {time}", "sin noticias desde hace {time}", "sen novas desde hai {time}", "молчит {time}";
    fault: "fault on purpose: {fault}", "fallo a propósito: {fault}", "fallo adrede: {fault}", "намеренный сбой: {fault}";
    leaving: "stopping", "parándose", "parando", "останавливается";
    lacks: "cannot use {store}", "no puede usar {store}", "non pode usar {store}", "не может использовать {store}";
    warns:
        "has a warning, which its log explains", "tiene una advertencia, que su registro explica",
        "ten unha advertencia, que o seu rexistro explica", "есть предупреждение, его объясняет журнал";

    // What is wrong, and what to try.
    since: "For {time}.", "Desde hace {time}.", "Desde hai {time}.", "Уже {time}.";
    ago: "{time} ago.", "Hace {time}.", "Hai {time}.", "{time} назад.";
    not_read_yet:
        "Not known yet: this page has just started.", "Aún no se sabe: esta página acaba de arrancar.",
        "Aínda non se sabe: esta páxina acaba de arrancar.", "Пока неизвестно: страница только что запущена.";
    not_known:
        "Not known: every replica announces itself in {store}, and no announcement arrives.",
        "No se sabe: cada réplica se anuncia en {store}, y no llega ningún anuncio.",
        "Non se sabe: cada réplica anúnciase en {store}, e non chega ningún anuncio.",
        "Неизвестно: реплики сообщают о себе через {store}, а сообщения не приходят.";
    none_runs:
        "No {kind} is running, or none can reach {store}.",
        "No hay ningún {kind} en marcha, o ninguno llega a {store}.",
        "Non hai ningún {kind} en marcha, ou ningún chega a {store}.",
        "Ни один {kind} не запущен, или ни один не может достучаться до {store}.";
    not_heard:
        "Not heard of lately: {names}. Stopped, hanging, or cut off from {store}.",
        "Sin noticias de {names}: parado, colgado o sin conexión con {store}.",
        "Sen novas de {names}: parado, colgado ou sen conexión con {store}.",
        "Нет вестей: {names}. Остановка, зависание или нет связи с {store}.";
    other_poll:
        "Another poll ({theirs}) than on this page ({ours}), so its votes do not show here: {names}.",
        "Otra votación ({theirs}) y no la de esta página ({ours}), así que sus votos no se ven aquí: {names}.",
        "Outra votación ({theirs}) e non a desta páxina ({ours}), así que os seus votos non se ven aquí: {names}.",
        "Другое голосование ({theirs}), а не то, что на этой странице ({ours}), и его голоса здесь не видны: {names}.";
    other_results:
        "Another poll ({theirs}) than on this page ({ours}): {names}.",
        "Otra votación ({theirs}) y no la de esta página ({ours}): {names}.",
        "Outra votación ({theirs}) e non a desta páxina ({ours}): {names}.",
        "Другое голосование ({theirs}), а не то, что на этой странице ({ours}): {names}.";
    refuses:
        "No votes are taken by {names}: as many wait as QUEUE_MAX allows, or {store} might lose them.",
        "No admite votos: {names}. Esperan tantos como permite QUEUE_MAX, o {store} podría perderlos.",
        "Non admite votos: {names}. Agardan tantos como permite QUEUE_MAX, ou {store} podería perdelos.",
        "Не принимает голоса: {names}. Ждёт столько, сколько разрешает QUEUE_MAX, или {store} может их потерять.";
    unsafe_votes:
        "Votes are not safe: {store} is not known to keep what it acknowledges ({names}).",
        "Los votos no están a salvo: no se sabe que {store} conserve lo que confirma ({names}).",
        "Os votos non están a salvo: non se sabe que {store} conserve o que confirma ({names}).",
        "Голоса не в безопасности: неизвестно, сохраняет ли {store} то, что подтверждает ({names}).";
    queue_away:
        "{store} does not answer. Unless only this page is cut off from it, no vote is recorded, and none that waits is counted.",
        "{store} no responde. Salvo que solo esta página esté sin conexión, no se registra ningún voto ni se cuentan los que esperan.",
        "{store} non responde. Agás que só esta páxina estea sen conexión, non se rexistra ningún voto nin se contan os que agardan.",
        "{store} не отвечает. Если дело не только в этой странице, голоса не принимаются, а ждущие не считаются.";
    takes_no_writes:
        "{store} answers, but takes no writes: no vote is recorded. Its memory or its disk may be full.",
        "{store} responde, pero no admite escrituras: no se registra ningún voto. Quizá esté llena su memoria o su disco.",
        "{store} responde, pero non admite escrituras: non se rexistra ningún voto. Quizais estea chea a súa memoria ou o seu disco.",
        "{store} отвечает, но не принимает записи: голоса не принимаются. Возможно, кончилась память или место на диске.";
    dead_letters:
        "{n} entry can never be counted and became a dead letter.|{n} entries can never be counted and became dead letters.",
        "{n} entrada no se podrá contar nunca y se apartó.|{n} entradas no se podrán contar nunca y se apartaron.",
        "{n} entrada non se poderá contar nunca e apartouse.|{n} entradas non se poderán contar nunca e apartáronse.",
        "{n} запись нельзя подсчитать, она отложена.|{n} записи нельзя подсчитать, они отложены.|{n} записей нельзя подсчитать, они отложены.";
    wiped:
        "{store} was wiped, or is another one.", "{store} se vació o es otro.",
        "{store} baleirouse ou é outro.", "{store} опустошён или заменён другим.";
    older:
        "{store} went back to an earlier state.", "{store} ha vuelto a un estado anterior.",
        "{store} volveu a un estado anterior.", "{store} вернулся в прежнее состояние.";
    lost_waiting:
        "Recorded votes that were not counted by then are lost; {n} waited when last seen.|Recorded votes that were not counted by then are lost; {n} waited when last seen.",
        "Se perdieron los votos registrados y aún no contados; esperaba {n} la última vez.|Se perdieron los votos registrados y aún no contados; esperaban {n} la última vez.",
        "Perdéronse os votos rexistrados e aínda non contados; agardaba {n} a última vez.|Perdéronse os votos rexistrados e aínda non contados; agardaban {n} a última vez.",
        "Принятые, но ещё не подсчитанные голоса потеряны; в последний раз ждал {n}.|Принятые, но ещё не подсчитанные голоса потеряны; в последний раз ждали {n}.|Принятые, но ещё не подсчитанные голоса потеряны; в последний раз ждали {n}.";
    lost_unseen:
        "Recorded votes that were not counted by then are lost; how many, nobody saw.",
        "Se perdieron los votos registrados y aún no contados; nadie vio cuántos.",
        "Perdéronse os votos rexistrados e aínda non contados; ninguén viu cantos.",
        "Принятые, но ещё не подсчитанные голоса потеряны; сколько — никто не видел.";
    lost_counted:
        "Some counted votes are missing: {n}.|Some counted votes are missing: {n}.",
        "Faltan votos contados: {n}.|Faltan votos contados: {n}.",
        "Faltan votos contados: {n}.|Faltan votos contados: {n}.",
        "Не хватает подсчитанных голосов: {n}.|Не хватает подсчитанных голосов: {n}.|Не хватает подсчитанных голосов: {n}.";
    lost_some:
        "Counted votes are missing.", "Faltan votos contados.", "Faltan votos contados.", "Не хватает подсчитанных голосов.";
    without_ledger:
        "Nothing is counted by {names}: {store} cannot be used.",
        "No cuenta nada: {names}. No puede usar {store}.",
        "Non conta nada: {names}. Non pode usar {store}.",
        "Не считает: {names}. Не удаётся использовать {store}.";
    behind:
        "A vote has waited for {time}, although a worker is there.",
        "Un voto espera desde hace {time}, aunque hay un worker.",
        "Un voto agarda desde hai {time}, aínda que hai un worker.",
        "Голос ждёт уже {time}, хотя worker работает.";
    ledger_away:
        "{store} does not answer: new votes wait, and the totals are old.",
        "{store} no responde: los votos nuevos esperan y los totales son antiguos.",
        "{store} non responde: os votos novos agardan e os totais son antigos.",
        "{store} не отвечает: новые голоса ждут, а итоги старые.";
    cut_off:
        "This page cannot reach {store}, and a worker can: votes are counted, but the totals here are old.",
        "Esta página no llega a {store}, y un worker sí: los votos se cuentan, pero estos totales son antiguos.",
        "Esta páxina non chega a {store}, e un worker si: os votos cóntanse, pero estes totais son antigos.",
        "Эта страница не может достучаться до {store}, а worker может: голоса считаются, но итоги здесь старые.";
    votes_elsewhere:
        "This poll ({ours}) has no votes; another one ({theirs}) has: {votes}. Was the poll changed?",
        "Esta votación ({ours}) no tiene votos; otra ({theirs}) sí: {votes}. ¿Se cambió la votación?",
        "Esta votación ({ours}) non ten votos; outra ({theirs}) si: {votes}. Cambiouse a votación?",
        "В этом голосовании ({ours}) голосов нет, а в другом ({theirs}) есть: {votes}. Голосование сменили?";
    relabelled:
        "The labels of this poll ({ours}) were changed, so votes count for other labels than those for which they were recorded: {changes}.",
        "Las etiquetas de esta votación ({ours}) cambiaron, así que los votos cuentan para otras etiquetas que al registrarse: {changes}.",
        "As etiquetas desta votación ({ours}) cambiaron, así que os votos contan para outras etiquetas que ao rexistrarse: {changes}.",
        "В этом голосовании ({ours}) сменились названия вариантов, и голоса считаются не за те, за которые были приняты: {changes}.";
    try_start: "Start it, and read its log.", "Arráncalo y lee su registro.", "Arráncao e le o seu rexistro.", "Запустите и прочитайте журнал.";
    try_restart:
        "Start it anew, and read its log.", "Arráncalo de nuevo y lee su registro.",
        "Arráncao de novo e le o seu rexistro.", "Перезапустите и прочитайте журнал.";
    try_vote:
        "Open the ballot and vote. If it says “Not recorded”, vote cannot reach {store}: look at the network between them. If it does not open, start it.",
        "Abre la papeleta y vota. Si dice «No registrado», vote no llega a {store}: mira la red entre ambos. Si no se abre, arráncalo.",
        "Abre a papeleta e vota. Se di «Non rexistrado», vote non chega a {store}: mira a rede entre ambos. Se non se abre, arráncao.",
        "Откройте бюллетень и проголосуйте. Если написано «Не принято», vote не может достучаться до {store}: проверьте сеть между ними. Если он не открывается, запустите.";
    try_poll:
        "Give vote and result the same POLL, OPTION_A and OPTION_B, and start both anew. The votes of every poll are kept.",
        "Da a vote y result los mismos POLL, OPTION_A y OPTION_B, y arranca los dos de nuevo. Los votos de cada votación se conservan.",
        "Dálles a vote e result os mesmos POLL, OPTION_A e OPTION_B, e arranca os dous de novo. Os votos de cada votación consérvanse.",
        "Задайте для vote и result одинаковые POLL, OPTION_A и OPTION_B и перезапустите оба. Голоса каждого голосования сохраняются.";
    try_former_poll:
        "If that was meant, all is well: this poll shows its first vote. If not, go back to the former POLL, OPTION_A and OPTION_B: its votes are still there.",
        "Si era a propósito, todo va bien: se verá el primer voto. Si no, vuelve a los POLL, OPTION_A y OPTION_B de antes: sus votos siguen ahí.",
        "Se era á mantenta, todo vai ben: verase o primeiro voto. Se non, volve aos POLL, OPTION_A e OPTION_B de antes: os seus votos seguen aí.",
        "Если так и задумано, всё в порядке: появится первый голос. Если нет, верните прежние POLL, OPTION_A и OPTION_B: его голоса сохранились.";
    try_other_id:
        "Give the poll another id, or put the labels back, and start vote and result anew. The votes of every poll are kept.",
        "Da otro id a la votación, o devuelve las etiquetas de antes, y arranca vote y result de nuevo. Los votos de cada votación se conservan.",
        "Dálle outro id á votación, ou devolve as etiquetas de antes, e arranca vote e result de novo. Os votos de cada votación consérvanse.",
        "Задайте голосованию другой id или верните прежние названия и перезапустите vote и result. Голоса каждого голосования сохраняются.";
    try_log: "Its log says why.", "Su registro dice por qué.", "O seu rexistro di por que.", "Причина — в журнале.";
    try_worker_log:
        "The worker's log tells more.", "El registro del worker dice más.", "O rexistro do worker di máis.", "Подробности — в журнале worker.";
    try_more: "Its log says whether it is in trouble; if it is only slow, start more.",
        "Su registro dice si tiene problemas; si solo va lento, arranca más.",
        "O seu rexistro di se ten problemas; se só vai amodo, arranca máis.",
        "В журнале видно, есть ли проблемы; если он просто не успевает, запустите ещё.";

    // What happened.
    place: " on {node}", " en {node}", " en\u{a0}{node}", " на {node}";
    appeared: "{name} appeared{place} (release {release})", "{name} apareció{place} (versión {release})",
        "{name} apareceu{place} (versión {release})", "{name} появилась{place} (версия {release})";
    restarted: "{name} restarted{place} (release {release})", "{name} se reinició{place} (versión {release})",
        "{name} reiniciouse{place} (versión {release})", "{name} перезапустилась{place} (версия {release})";
    fell_silent: "{name} went silent", "{name} ha callado", "{name} calou", "{name} замолчала";
    heard: "{name} is heard again", "{name} vuelve a dar noticias", "{name} volve dar novas", "{name} снова на связи";
    stopped: "{name} stopped", "{name} se paró", "{name} parou", "{name} остановилась";
    votes_refused: "{store} is away: votes are refused", "{store} no responde: se rechazan los votos",
        "{store} non responde: rexéitanse os votos", "{store} недоступен: голоса не принимаются";
    votes_wait: "{store} is away: votes wait", "{store} no responde: los votos esperan",
        "{store} non responde: os votos agardan", "{store} недоступен: голоса ждут";
    back: "{store} is back after {time}", "{store} ha vuelto tras {time}", "{store} volveu tras {time}",
        "{store} вернулся через {time}";
    back_whole: "{store} is back after {time}: nothing was lost", "{store} ha vuelto tras {time}: no se perdió nada",
        "{store} volveu tras {time}: non se perdeu nada", "{store} вернулся через {time}: ничего не потеряно";
    rollout: "rollout of {kind}: release {release} on {on} of {of}",
        "despliegue de {kind}: versión {release} en {on} de {of}",
        "despregamento de {kind}: versión {release} en {on} de {of}",
        "обновление {kind}: версия {release} на {on} из {of}";
}
