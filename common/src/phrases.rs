//! Every phrase that people read, in every language: one table, in one place,
//! and beside it that of the page that tells where a vote is.
//!
//! A phrase that lacks a language does not compile. `{name}` is a gap to fill;
//! a bar separates the forms of a phrase that goes with a number.

mod status;

pub use self::status::StatusPhrases;
use crate::language::Language;

/// Names a phrase before the reader's language is known.
pub type Phrase = fn(&Phrases) -> &'static str;

macro_rules! phrases {
    ($table:ident: $($name:ident: $en:literal, $es:literal, $gl:literal, $ru:literal;)*) => {
        /// The phrases of one language.
        #[derive(Debug)]
        pub struct $table {
            /// The language.
            pub language: Language,
            $(#[doc = $en] pub $name: &'static str,)*
        }

        impl $table {
            /// The phrases of this language.
            pub fn of(language: Language) -> &'static Self {
                static ENGLISH: $table = $table { language: Language::English, $($name: $en,)* };
                static SPANISH: $table = $table { language: Language::Spanish, $($name: $es,)* };
                static GALICIAN: $table = $table { language: Language::Galician, $($name: $gl,)* };
                static RUSSIAN: $table = $table { language: Language::Russian, $($name: $ru,)* };
                match language {
                    Language::English => &ENGLISH,
                    Language::Spanish => &SPANISH,
                    Language::Galician => &GALICIAN,
                    Language::Russian => &RUSSIAN,
                }
            }

            /// Each phrase's name, and what it is in every language.
            #[cfg(test)]
            pub(super) const ALL: &[(&str, [&str; 4])] = &[$((stringify!($name), [$en, $es, $gl, $ru]),)*];
        }
    };
}
use phrases;

phrases! {
    Phrases:
    // On every page.
    language_switch: "Language", "Idioma", "Idioma", "Язык";
    answered_by: "Answered by {replica}", "Responde {replica}", "Responde {replica}", "Отвечает {replica}";
    embedded:
        "Everything runs in one process here, without Redis and PostgreSQL.",
        "Aquí todo funciona en un solo proceso, sin Redis ni PostgreSQL.",
        "Aquí todo funciona nun só proceso, sen Redis nin PostgreSQL.",
        "Здесь всё работает в одном процессе, без Redis и PostgreSQL.";
    waiting:
        "{n} recorded vote waits to be counted.|{n} recorded votes wait to be counted.",
        "{n} voto registrado espera el recuento.|{n} votos registrados esperan el recuento.",
        "{n} voto rexistrado agarda o reconto.|{n} votos rexistrados agardan o reconto.",
        "{n} принятый голос ждёт подсчёта.|{n} принятых голоса ждут подсчёта.|{n} принятых голосов ждут подсчёта.";

    // The ballot page.
    invitation:
        "Press your choice. You can change your mind: your last vote counts.",
        "Pulsa tu opción. Puedes cambiar de idea: cuenta tu último voto.",
        "Preme a túa opción. Podes cambiar de idea: conta o teu último voto.",
        "Нажмите на свой вариант. Можно передумать: считается последний голос.";
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

    // The results page.
    results: "Results", "Resultados", "Resultados", "Результаты";
    live: "Live", "En directo", "En directo", "В прямом эфире";
    as_of: "As of {time}", "Últimos datos: {time}", "Últimos datos: {time}", "Данные на {time}";
    away:
        "As of {time}: the database is away", "Últimos datos: {time}. La base de datos no responde",
        "Últimos datos: {time}. A base de datos non responde", "Данные на {time}. База данных недоступна";
    reconnecting:
        "As of {time}: reconnecting …", "Últimos datos: {time}. Reconectando …",
        "Últimos datos: {time}. Reconectando …", "Данные на {time}. Переподключение …";
    lost: "Reconnecting …", "Reconectando …", "Reconectando …", "Переподключение …";
    never_answered:
        "The database has not answered yet.", "La base de datos aún no ha respondido.",
        "A base de datos aínda non respondeu.", "База данных ещё не ответила.";
    votes: "{n} vote|{n} votes", "{n} voto|{n} votos", "{n} voto|{n} votos", "{n} голос|{n} голоса|{n} голосов";
    no_votes: "No votes yet.", "Todavía no hay votos.", "Aínda non hai votos.", "Голосов пока нет.";
    leads:
        "{label} leads by {n} vote.|{label} leads by {n} votes.",
        "{label} va por delante por {n} voto.|{label} va por delante por {n} votos.",
        "{label} vai por diante por {n} voto.|{label} vai por diante por {n} votos.",
        "{label} впереди на {n} голос.|{label} впереди на {n} голоса.|{label} впереди на {n} голосов.";
    tie:
        "A tie for first place: {labels}.", "Empate en cabeza: {labels}.",
        "Empate no primeiro posto: {labels}.", "Первое место делят: {labels}.";
    wide_tie:
        "A tie for first place: {n} option.|A tie for first place: {n} options.",
        "Empate en cabeza: {n} opción.|Empate en cabeza: {n} opciones.",
        "Empate no primeiro posto: {n} opción.|Empate no primeiro posto: {n} opcións.",
        "Первое место делят: {n} вариант.|Первое место делят: {n} варианта.|Первое место делят: {n} вариантов.";
    stuck:
        "None was counted for a while: is a worker running?",
        "Hace un rato que no se cuenta ninguno: ¿hay algún worker en marcha?",
        "Hai un anaco que non se conta ningún: hai algún worker en marcha?",
        "Уже какое-то время ни один не подсчитан: работает ли worker?";
    queue_away:
        "The queue does not answer: votes may not be recorded right now.",
        "La cola no responde: puede que ahora no se registren votos.",
        "A cola non responde: pode que agora non se rexistren votos.",
        "Очередь не отвечает: сейчас голоса могут не приниматься.";
    pace:
        "Votes counted per second, in the last {minutes} minutes", "Votos contados por segundo, en los últimos {minutes} minutos",
        "Votos contados por segundo, nos últimos {minutes} minutos", "Подсчитано голосов в секунду за последние {minutes} мин";
    pace_now:
        "now {now}, at most {most}", "ahora {now}, como máximo {most}",
        "agora {now}, como máximo {most}", "сейчас {now}, максимум {most}";
    vote: "Vote", "Votar", "Votar", "Голосовать";
    scan:
        "Scan to vote", "Escanea para votar", "Escanea para votar", "Наведите камеру, чтобы проголосовать";
    enlarge: "Show large", "Ver en grande", "Ver en grande", "Показать крупно";
    close: "Close", "Cerrar", "Pechar", "Закрыть";
    phones:
        "Phones cannot open this address. Open this page at the machine's own address (or set VOTE_URL), and a QR code appears here.",
        "Los móviles no pueden abrir esta dirección. Abre esta página con la dirección de la máquina (o define VOTE_URL) y aquí saldrá un código QR.",
        "Os móbiles non poden abrir este enderezo. Abre esta páxina co enderezo da máquina (ou define VOTE_URL) e aquí sairá un código QR.",
        "Телефоны не откроют этот адрес. Откройте страницу по адресу самой машины (или задайте VOTE_URL), и здесь появится QR-код.";
    phones_embedded:
        "Phones cannot open this address. Start like this, then open this page at the machine's own address: a QR code appears here.",
        "Los móviles no pueden abrir esta dirección. Arranca así y abre esta página con la dirección de la máquina: aquí saldrá un código QR.",
        "Os móbiles non poden abrir este enderezo. Arranca así e abre esta páxina co enderezo da máquina: aquí sairá un código QR.",
        "Телефоны не откроют этот адрес. Запустите так и откройте страницу по адресу самой машины: здесь появится QR-код.";
    presenter: "Presenter view", "Vista de proyector", "Vista de proxector", "Режим проектора";
    leave: "Back to the normal view", "Volver a la vista normal", "Volver á vista normal", "Обычный вид";
    full_screen: "Full screen", "Pantalla completa", "Pantalla completa", "Во весь экран";
    refreshes:
        "This page refreshes itself every {seconds} seconds.", "Esta página se actualiza sola cada {seconds} segundos.",
        "Esta páxina actualízase soa cada {seconds} segundos.", "Страница обновляется сама каждые {seconds} секунд.";

    // When something is wrong.
    back: "Go to the main page", "Ir a la página principal", "Ir á páxina principal", "На главную страницу";
    not_found: "Not found", "No encontrado", "Non atopado", "Не найдено";
    nothing_here:
        "There is nothing at this address.", "No hay nada en esta dirección.",
        "Non hai nada neste enderezo.", "По этому адресу ничего нет.";
    not_allowed: "Not allowed", "No permitido", "Non permitido", "Не разрешено";
    wrong_method:
        "This address does not take that kind of request.", "Esta dirección no admite ese tipo de petición.",
        "Este enderezo non admite ese tipo de petición.", "Этот адрес не принимает такие запросы.";
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
    with_curl: "With curl", "Con curl", "Con curl", "С помощью curl";
    no_page: "Not a page", "No es una página", "Non é unha páxina", "Это не страница";
    no_socket:
        "Pages and programs connect here by WebSocket to follow the results; there is nothing to look at.",
        "Aquí se conectan por WebSocket las páginas y programas que siguen los resultados; no hay nada que ver.",
        "Aquí conéctanse por WebSocket as páxinas e programas que seguen os resultados; non hai nada que ver.",
        "Сюда по WebSocket подключаются страницы и программы, которые следят за результатами; смотреть не на что.";
}

/// Fills a gap in a phrase.
pub fn fill(phrase: &str, gap: &str, text: &str) -> String {
    phrase.replace(&format!("{{{gap}}}"), text)
}

/// A text of any language and direction, isolated so that it cannot turn the
/// rest of a sentence around.
pub fn isolated(text: &str) -> String {
    format!("\u{2068}{text}\u{2069}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = &'static (&'static str, [&'static str; 4])> {
        Phrases::ALL.iter().chain(StatusPhrases::ALL)
    }

    fn gaps(text: &str) -> Vec<&str> {
        let mut gaps: Vec<&str> =
            text.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)).collect();
        gaps.sort_unstable();
        gaps
    }

    #[test]
    fn every_phrase_is_there_in_every_language_with_the_same_gaps_and_all_its_forms() {
        for (name, texts) in all() {
            let with_number = texts[0].contains('|');
            for (language, text) in Language::ALL.into_iter().zip(texts) {
                let forms: Vec<&str> = text.split('|').collect();
                let expected = if with_number { language.plural_forms() } else { 1 };
                assert_eq!(forms.len(), expected, "{name}: {text}");
                for form in forms {
                    assert!(!form.trim().is_empty(), "{name} is empty in {language}");
                    let first = texts[0].split('|').next().unwrap();
                    assert_eq!(gaps(form), gaps(first), "{name} in {language}: {form}");
                }
            }
        }
    }

    #[test]
    fn no_phrase_was_left_in_english_and_no_russian_one_in_latin_letters() {
        for (name, [english, others @ ..]) in all() {
            assert!(others.iter().all(|text| text != english), "{name} was left in English");
            let cyrillic = |letter: char| ('\u{400}'..'\u{500}').contains(&letter);
            assert!(others[2].contains(cyrillic), "{name}");
            assert!(!english.contains(cyrillic), "{name}");
        }
    }

    #[test]
    fn a_label_cannot_turn_the_sentence_around() {
        let english = Phrases::of(Language::English);
        let said = fill(english.voted_for, "label", &isolated("קפה"));
        assert_eq!(said, "Your vote is for \u{2068}קפה\u{2069}.");
    }

    #[test]
    fn numbers_choose_the_form() {
        let russian = Phrases::of(Language::Russian);
        let said = [1, 3, 5, 1_234].map(|number| russian.language.count(russian.votes, number));
        assert_eq!(said, ["1 голос", "3 голоса", "5 голосов", "1\u{a0}234 голоса"]);
    }
}
