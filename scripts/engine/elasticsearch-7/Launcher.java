import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.cjk.CJKAnalyzer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.http.HttpServerTransport;
import org.elasticsearch.index.analysis.AnalyzerProvider;
import org.elasticsearch.index.analysis.AnalyzerScope;
import org.elasticsearch.index.analysis.PreBuiltAnalyzerProvider;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.AnalysisPlugin;
import org.elasticsearch.plugins.Plugin;

/**
 * Starts one Elasticsearch 7 node from the jars on the class path.
 *
 * Usage: java -cp 'LIB/*' Launcher.java HOME PORT_FILE [key=value ...] [plugin class ...]
 *
 * The node takes the HTTP port that the settings name (0: a free one) and writes the number to PORT_FILE. It
 * lives as long as its standard input: the operating system closes that pipe when the parent ends, however it
 * ends, so that no engine is ever left behind.
 */
public final class Launcher {
    /** A close that takes longer than this is cut off. */
    private static final long CLOSE_LIMIT_MS = 15_000;

    /** Elasticsearch's own analysis module is not published; Lucene's analyzers are on the class path already. */
    public static final class LanguageAnalyzers extends Plugin implements AnalysisPlugin {
        @Override
        public Map<String, AnalysisProvider<AnalyzerProvider<? extends Analyzer>>> getAnalyzers() {
            return Map.of("cjk", each(CJKAnalyzer::new), "english", each(EnglishAnalyzer::new));
        }

        /** An index closes its analyzers when it is closed, so that none may be shared. */
        private static AnalysisProvider<AnalyzerProvider<? extends Analyzer>> each(Supplier<Analyzer> make) {
            return (index, environment, name, settings) ->
                new PreBuiltAnalyzerProvider(name, AnalyzerScope.INDEX, make.get());
        }
    }

    /** The constructor that takes plugins from the class path is open to subclasses only. */
    private static final class ClassPathNode extends Node {
        ClassPathNode(Environment environment, Collection<Class<? extends Plugin>> plugins) {
            super(environment, plugins, true);
        }
    }

    public static void main(String[] args) throws Exception {
        exitWithParent();
        Path home = Path.of(args[0]).toAbsolutePath();
        Path portFile = Path.of(args[1]).toAbsolutePath();
        Map<String, String> settings = new HashMap<>();
        List<Class<? extends Plugin>> plugins = new ArrayList<>();
        for (int i = 2; i < args.length; i++) {
            int equals = args[i].indexOf('=');
            if (equals > 0) {
                settings.put(args[i].substring(0, equals), args[i].substring(equals + 1));
            } else {
                plugins.add(Class.forName(args[i]).asSubclass(Plugin.class));
            }
        }
        settings.put("path.home", home.toString());
        Path config = Files.createDirectories(home.resolve("config"));
        Environment environment =
            InternalSettingsPreparer.prepareEnvironment(Settings.EMPTY, settings, config, () -> "local");

        Node node = new ClassPathNode(environment, plugins);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node), "close-node"));
        node.start();
        HttpServerTransport http = node.injector().getInstance(HttpServerTransport.class);
        writeWhole(portFile, Integer.toString(http.boundAddress().publishAddress().getPort()));
        new CountDownLatch(1).await();
    }

    private static void exitWithParent() {
        Thread watch = new Thread(() -> {
            try {
                while (System.in.read() >= 0) {
                    // Whatever the parent writes has no meaning; only the end has.
                }
            } catch (IOException broken) {
                // A broken pipe is an end as well.
            }
            Thread limit = new Thread(() -> {
                try {
                    Thread.sleep(CLOSE_LIMIT_MS);
                } catch (InterruptedException early) {
                    // Halt at once.
                }
                Runtime.getRuntime().halt(1);
            }, "close-limit");
            limit.setDaemon(true);
            limit.start();
            System.exit(0);
        }, "exit-with-parent");
        watch.setDaemon(true);
        watch.start();
    }

    private static void close(Node node) {
        try {
            node.close();
        } catch (IOException e) {
            e.printStackTrace();
        }
    }

    /** Readers see the whole number or no file. */
    private static void writeWhole(Path file, String text) throws IOException {
        Path partial = file.resolveSibling(file.getFileName() + ".partial");
        Files.writeString(partial, text);
        Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
