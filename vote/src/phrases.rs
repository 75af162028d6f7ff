//! The phrases of the ballot page.

web::phrases! {
    pub(crate) struct Phrases:
    // The page.
    description:
        "Cast your vote in this poll.", "Emite tu voto en esta votación.",
        "Emite o teu voto nesta votación.", "Проголосуйте в этом опросе.";
    invitation:
        "Press your choice. You can change your mind: your last vote counts.",
        "Pulsa tu opción. Puedes cambiar de idea: cuenta tu último voto.",
        "Preme a túa opción. Podes cambiar de idea: conta o teu último voto.",
        "Нажмите на свой вариант. Можно передумать: считается последний голос.";
    relabelled:
        "The options were relabelled after voting began, so earlier votes may now count for another one. Check yours.",
        "Las opciones se cambiaron con la votación empezada, así que los votos anteriores quizá cuenten ahora para otra. Comprueba el tuyo.",
        "As opcións cambiáronse coa votación comezada, así que os votos anteriores quizais conten agora para outra. Comproba o teu.",
        "Варианты изменили уже во время голосования, поэтому прежние голоса могут теперь считаться за другой. Проверьте свой.";
    sending: "Sending …", "Enviando …", "Enviando …", "Отправляется …";
    recorded: "Recorded", "Registrado", "Rexistrado", "Принято";
    voted_for:
        "Your vote is for {label}.", "Tu voto es para {label}.",
        "O teu voto é para {label}.", "Ваш голос: {label}.";
    changed_to:
        "You changed your vote to {label}.", "Has cambiado tu voto a {label}.",
        "Cambiaches o teu voto a {label}.", "Вы изменили свой голос на {label}.";
    change_invited:
        "Changed your mind? Press another choice: your last vote counts.",
        "¿Has cambiado de idea? Pulsa otra opción: cuenta tu último voto.",
        "Cambiaches de idea? Preme outra opción: conta o teu último voto.",
        "Передумали? Нажмите на другой вариант: считается последний голос.";
    last_recorded:
        "Your last recorded vote is for {label}.", "Tu último voto registrado es para {label}.",
        "O teu último voto rexistrado é para {label}.", "Последний принятый голос: {label}.";
    waits:
        "It waits to be counted.", "Espera el recuento.", "Agarda o reconto.", "Он ждёт подсчёта.";
    waits_behind:
        "It waits to be counted, behind {n} other.|It waits to be counted, behind {n} others.",
        "Espera el recuento, detrás de {n} voto.|Espera el recuento, detrás de {n} votos.",
        "Agarda o reconto, detrás de {n} voto.|Agarda o reconto, detrás de {n} votos.",
        "Он ждёт подсчёта, перед ним {n} голос.|Он ждёт подсчёта, перед ним {n} голоса.|Он ждёт подсчёта, перед ним {n} голосов.";
    counted: "Counted", "Contado", "Contado", "Подсчитано";
    not_counted:
        "Not counted: your vote could not be read. Please vote again.",
        "No contado: tu voto no se pudo leer. Vota otra vez.",
        "Non contado: o teu voto non se puido ler. Vota outra vez.",
        "Не подсчитано: голос не удалось прочитать. Проголосуйте ещё раз.";
    untold:
        "This page cannot tell whether it was counted.", "Esta página no puede saber si se contó.",
        "Esta páxina non pode saber se se contou.", "Эта страница не может узнать, подсчитан ли он.";
    not_recorded: "Not recorded", "No registrado", "Non rexistrado", "Не принято";
    box_closed:
        "The ballot box cannot take votes right now. Press again in a moment.",
        "La urna no puede recibir votos ahora mismo. Vuelve a pulsar dentro de un momento.",
        "A urna non pode recibir votos agora mesmo. Volve premer dentro dun momento.",
        "Урна сейчас не принимает голоса. Нажмите ещё раз чуть позже.";
    not_confirmed:
        "Not confirmed: press again, it is safe", "Sin confirmar: vuelve a pulsar, es seguro",
        "Sen confirmar: volve premer, é seguro", "Не подтверждено: нажмите ещё раз, это безопасно";
    no_answer:
        "No answer came back, so your vote may have arrived or not. Only your last vote counts, once.",
        "No llegó respuesta: tu voto puede haber llegado o no. Solo cuenta tu último voto, una vez.",
        "Non chegou resposta: o teu voto pode ter chegado ou non. Só conta o teu último voto, unha vez.",
        "Ответа нет: голос мог дойти, а мог и не дойти. Считается только последний голос, один раз.";
    other_poll:
        "The question has changed, so your vote was not recorded. Please choose again.",
        "La pregunta ha cambiado, así que tu voto no se ha registrado. Vuelve a elegir.",
        "A pregunta cambiou, así que o teu voto non se rexistrou. Volve escoller.",
        "Вопрос изменился, поэтому ваш голос не принят. Выберите ещё раз.";
    see_results: "See the results", "Ver los resultados", "Ver os resultados", "Смотреть результаты";

    // When a vote cannot be taken.
    another_site:
        "This vote was sent by another site's page, so it was not recorded. Open this site's own page and vote there.",
        "Este voto lo envió la página de otro sitio, así que no se registró. Abre la página de este sitio y vota allí.",
        "Este voto enviouno a páxina doutro sitio, así que non se rexistrou. Abre a páxina deste sitio e vota alí.",
        "Этот голос отправила страница другого сайта, поэтому он не принят. Откройте страницу этого сайта и голосуйте там.";
    too_slow:
        "Your vote arrived too slowly. Please vote again.", "Tu voto llegó demasiado despacio. Vota otra vez.",
        "O teu voto chegou demasiado amodo. Vota outra vez.", "Голос шёл слишком долго. Проголосуйте ещё раз.";
    too_large:
        "A vote has at most {bytes} bytes.", "Un voto tiene como máximo {bytes} bytes.",
        "Un voto ten como máximo {bytes} bytes.", "В голосе не больше {bytes} байт.";
    no_form:
        "A vote is a form: send it as application/x-www-form-urlencoded.",
        "Un voto es un formulario: envíalo como application/x-www-form-urlencoded.",
        "Un voto é un formulario: envíao como application/x-www-form-urlencoded.",
        "Голос — это форма: отправьте её как application/x-www-form-urlencoded.";
    unknown_choice:
        "A vote is one of these keys: {keys}.", "Un voto es una de estas claves: {keys}.",
        "Un voto é unha destas claves: {keys}.", "Голос — это один из ключей: {keys}.";
    no_identity:
        "Your browser keeps no cookie of this page, and without one a vote cannot be told from another voter's. Allow it, then vote again.",
        "Tu navegador no guarda la cookie de esta página, y sin ella no se distingue un voto del de otra persona. Permítela y vota otra vez.",
        "O teu navegador non garda a cookie desta páxina, e sen ela non se distingue un voto do doutra persoa. Permítea e vota outra vez.",
        "Браузер не хранит cookie этой страницы, а без него голос не отличить от чужого. Разрешите его и проголосуйте снова.";
}
